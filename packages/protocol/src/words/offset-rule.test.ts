import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeChunk } from './offset-rule.js'

/** A receiver that does what the verdict says; the model that the properties check. */
function receive(stored: string, offset: number, bytes: string): { stored: string; nextOffset: number } {
  const verdict = judgeChunk(stored.length, offset, bytes.length)
  if (verdict.kind !== 'append') return { stored, nextOffset: verdict.nextOffset }
  return { stored: stored + bytes.slice(verdict.skip), nextOffset: verdict.nextOffset }
}

describe('judgeChunk', () => {
  it('asks for the missing bytes when a chunk starts beyond the end', () => {
    expect(judgeChunk(10, 11, 5)).toEqual({ kind: 'gap', nextOffset: 10 })
    expect(judgeChunk(10, 11, 0)).toEqual({ kind: 'gap', nextOffset: 10 })
  })

  it('appends only what is new', () => {
    expect(judgeChunk(10, 10, 5)).toEqual({ kind: 'append', skip: 0, nextOffset: 15 })
    expect(judgeChunk(10, 7, 5)).toEqual({ kind: 'append', skip: 3, nextOffset: 12 })
    expect(judgeChunk(10, 3, 7)).toEqual({ kind: 'duplicate', nextOffset: 10 })
  })

  it('stores a text exactly once under any order, repetition and loss of its slices, once all were sent in the end', () => {
    const slice = fc.tuple(fc.nat(60), fc.nat(20))
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60 }), fc.array(slice, { maxLength: 40 }), (text, slices) => {
        let stored = ''
        for (const [at, size] of slices) {
          const offset = Math.min(at, text.length)
          const before = stored
          const answer = receive(stored, offset, text.slice(offset, offset + size))
          stored = answer.stored
          expect(text.startsWith(stored)).toBe(true)
          expect(stored.length).toBeGreaterThanOrEqual(before.length)
          expect(answer.nextOffset).toBe(stored.length)
        }
        expect(receive(stored, stored.length, text.slice(stored.length)).stored).toBe(text)
      }),
    )
  })
})
