import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter, maxLineLength } from './line-splitter.js'

describe('lines of a stream', () => {
  it('are the same however the bytes are cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '😀') })
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (whole, cuts) => {
        const splitter = new LineSplitter()
        const bytes = Buffer.from(whole)
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
        const lines = places
          .slice(1)
          .flatMap((end, index) => splitter.push(bytes.subarray(places[index], end)).map(String))
        const last = whole.split('\n').at(-1)
        const seen = [...lines, ...splitter.end().map(String)]
        expect(seen).toEqual(last === '' ? whole.split('\n').slice(0, -1) : whole.split('\n'))
      }),
    )
  })

  it('come in pieces when one is too long to hold', () => {
    const splitter = new LineSplitter()
    const pieces = splitter.push(Buffer.alloc(3 * maxLineLength, 'x'))
    expect(pieces.every((piece) => piece.length <= maxLineLength)).toBe(true)
    expect(Buffer.concat([...pieces, ...splitter.end()]).length).toBe(3 * maxLineLength)
  })
})
