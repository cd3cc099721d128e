import fc from 'fast-check'
import { expect, it } from 'vitest'
import { outputTail, withoutTornEnd } from './log-rows.js'

const row = (bytes: Buffer | null, totalBytes: number) => ({
  plan_output: bytes,
  plan_output_bytes: totalBytes,
  apply_output: null,
  apply_output_bytes: 0,
})

it('never shows half a character, wherever text was cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-composite' }), fc.nat(), fc.nat(), (text, from, to) => {
      const whole = Buffer.from(text)
      const start = whole.length === 0 ? 0 : from % whole.length
      const end = start + (to % (whole.length - start + 1))
      const shown = outputTail(row(whole.subarray(start, end), start === 0 ? end : whole.length), 'plan').text
      expect(text).toContain(shown)
      expect(Buffer.byteLength(shown)).toBeGreaterThanOrEqual(end - start - 6)
    }),
  )
})

it('says an output is truncated when the stream is longer than what is kept', () => {
  expect(outputTail(row(Buffer.from('tail'), 4), 'plan')).toEqual({ text: 'tail', truncated: false })
  expect(outputTail(row(Buffer.from('tail'), 5), 'plan')).toEqual({ text: 'tail', truncated: true })
  expect(outputTail(row(null, 0), 'plan')).toEqual({ text: '', truncated: false })
})

it('keeps a whole character at the end', () => {
  expect(withoutTornEnd(Buffer.from('aé€😀')).toString()).toBe('aé€😀')
  expect(withoutTornEnd(Buffer.from('a😀').subarray(0, 4)).toString()).toBe('a')
})
