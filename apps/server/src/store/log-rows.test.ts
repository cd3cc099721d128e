import fc from 'fast-check'
import { expect, it } from 'vitest'
import { outputText, withoutTornEnd } from './log-rows.js'

it('never shows half a character, wherever text was cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-composite' }), fc.nat(), fc.nat(), (text, from, to) => {
      const whole = Buffer.from(text)
      const start = whole.length === 0 ? 0 : from % whole.length
      const end = start + (to % (whole.length - start + 1))
      const shown = outputText({ bytes: whole.subarray(start, end), totalBytes: start === 0 ? end : whole.length }).text
      expect(text).toContain(shown)
      expect(Buffer.byteLength(shown)).toBeGreaterThanOrEqual(end - start - 6)
    }),
  )
})

it('says an output is truncated when the stream is longer than what is kept', () => {
  expect(outputText({ bytes: Buffer.from('tail'), totalBytes: 4 })).toEqual({ text: 'tail', truncated: false })
  expect(outputText({ bytes: Buffer.from('tail'), totalBytes: 5 })).toEqual({ text: 'tail', truncated: true })
})

it('keeps a whole character at the end', () => {
  expect(withoutTornEnd(Buffer.from('aé€😀')).toString()).toBe('aé€😀')
  expect(withoutTornEnd(Buffer.from('a😀').subarray(0, 4)).toString()).toBe('a')
})
