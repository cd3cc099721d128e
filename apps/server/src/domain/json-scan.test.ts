import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readString, scanElements, scanMembers, withoutSpace } from './json-scan.js'

const slices = (text: string) => {
  const bytes = Buffer.from(text)
  const members = scanMembers(bytes)
  return members && [...members.byKey].map(([key, { start, end }]) => [key, bytes.toString('utf8', start, end)])
}

it('finds the values of an object as their own bytes', () => {
  const text = '{ "a" : 12345678901234567890 , "b":{"x":"}"} ,"c\\u0041":["]",1] }'
  expect(slices(text)).toEqual([
    ['a', '12345678901234567890'],
    ['b', '{"x":"}"}'],
    ['cA', '["]",1]'],
  ])
})

it('cuts any object into values that parse to what the whole parses to', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 0, max: 2 }), (object, indent) => {
      const text = JSON.stringify(object, null, indent)
      const found = Object.fromEntries((slices(text) ?? []).map(([key, value]) => [key, JSON.parse(value as string)]))
      expect(found).toEqual(JSON.parse(JSON.stringify({ ...object })))
    }),
  )
})

it('tells a torn object from a whole one, wherever it is cut', () => {
  const text = '{"a":"x\\"y","b":[1,{"c":2}],"d":null}'
  for (let length = 1; length < text.length; length++) {
    expect(scanMembers(Buffer.from(text.slice(0, length)))?.isWhole, text.slice(0, length)).toBe(false)
  }
  expect(scanMembers(Buffer.from(text))?.isWhole).toBe(true)
})

it('finds nothing in what is no object', () => {
  for (const text of ['', '[]', '1', '{a:1}', '{"a" 1}', '{"a":}'])
    expect(scanMembers(Buffer.from(text)), text).toBeUndefined()
})

it('cuts an array into its elements', () => {
  const bytes = Buffer.from('[ {"a":[1,2]} , "x,y" ,3 ]')
  expect(scanElements(bytes, 0)?.map(({ start, end }) => bytes.toString('utf8', start, end))).toEqual([
    '{"a":[1,2]}',
    '"x,y"',
    '3',
  ])
  expect(scanElements(Buffer.from('[]'), 0)).toEqual([])
  expect(scanElements(Buffer.from('[1,2'), 0)).toBeUndefined()
})

it('drops white space outside strings only', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(withoutSpace(Buffer.from(JSON.stringify(value, null, '\t'))).toString()).toBe(JSON.stringify(value))
    }),
  )
})

it('reads a string and nothing else as text', () => {
  const read = (text: string) => readString(Buffer.from(text), { start: 0, end: Buffer.byteLength(text) })
  expect(read('"a\\n\\u00e9é"')).toBe('a\néé')
  expect(read('{"a":1}')).toBeUndefined()
  expect(read('"a\u0001"')).toBeUndefined()
})
