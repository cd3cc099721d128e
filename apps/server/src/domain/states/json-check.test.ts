import { createHash } from 'node:crypto'
import { passingBytes } from '@iac-agent/runtime'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { jsonCheck } from './json-check.js'

function accepts(text: string | Buffer, chunkBytes = 7): boolean {
  const bytes = Buffer.from(text)
  const check = jsonCheck.make([])
  for (let at = 0; at < bytes.length; at += chunkBytes) check.push(bytes.subarray(at, at + chunkBytes))
  return check.finding().isWholeObject
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false // JSON.parse is the judge here
  }
}

it('takes every object JSON.stringify writes, however it is cut into chunks', () => {
  const objects = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
  fc.assert(
    fc.property(
      objects,
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 9 }),
      (object, indent, chunkBytes) => {
        expect(accepts(JSON.stringify(object, null, indent), chunkBytes)).toBe(true)
      },
    ),
  )
})

it('judges damaged objects as JSON.parse does', () => {
  const damage = fc.record({
    at: fc.nat(),
    by: fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '0', '-', 'x', ' ', '\\', '\n'),
  })
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), damage, fc.boolean(), (object, { at, by }, isReplaced) => {
      const text = JSON.stringify(object)
      const place = at % (text.length + 1)
      const damaged = text.slice(0, place) + by + text.slice(place + (isReplaced ? 1 : 0))
      expect(accepts(damaged)).toBe(isJsonObject(damaged))
    }),
    { numRuns: 2000 },
  )
})

it('refuses what is no object, torn, doubled or begins with a byte order mark', () => {
  for (const text of [
    '',
    ' ',
    '[]',
    '1',
    '"a"',
    '{"a":1',
    '{"a":"',
    '{}{}',
    '{} x',
    '\ufeff{}',
    '{foo}',
    '{"a":01}',
    '{"a":"\\x"}',
  ]) {
    expect(accepts(text), text).toBe(false)
  }
})

it('takes numbers of any length that a state may hold', () => {
  expect(accepts('{"n":12345678901234567890123456789.5e-400}')).toBe(true)
})

it('keeps the wanted members of the outermost object, wherever they stand and however they are cut', () => {
  const members = fc.shuffledSubarray(['a', 'b', 'deep', 'long', 'list'], { minLength: 5 })
  const deep = { a: 'no', b: [1, { a: 2 }] }
  fc.assert(
    fc.property(
      members,
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.nat(8),
      (order, a, b, cut) => {
        const values: Record<string, unknown> = { a, b, deep, long: 'x'.repeat(3000), list: ['a', 1] }
        const bytes = Buffer.from(JSON.stringify(Object.fromEntries(order.map((key) => [key, values[key]])), null, 1))
        const check = jsonCheck.make(['a', 'b', 'deep', 'long', 'list'])
        for (let at = 0; at < bytes.length; at += cut + 1) check.push(bytes.subarray(at, at + cut + 1))
        expect(JSON.parse(check.finding().members)).toEqual(JSON.parse(JSON.stringify({ a, b })))
      },
    ),
  )
})

it('finds the same on a thread beside', async () => {
  const list = Array.from({ length: 200_000 }, (_, n) => ({ n, text: `a "${n}" b` }))
  const whole = JSON.stringify({ serial: 7, list, lineage: 'ours' })
  expect(await findingBeside(whole)).toEqual({
    isWholeObject: true,
    members: '{"serial":7,"lineage":"ours"}',
    sha256: sha256Of(whole),
  })
  for (const text of ['', whole.slice(0, -1), `${whole}x`, whole.replace('"n":199999', '"n":01')]) {
    expect((await findingBeside(text)).isWholeObject).toBe(false)
  }
})

async function findingBeside(text: string) {
  await using passing = passingBytes(jsonCheck, ['serial', 'lineage'], 1e9)
  await passing.push(Buffer.from(text))
  return await passing.finding()
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
