import { expect, it } from 'vitest'
import { decode, encode, unknown, type Value } from './msgpack.js'

it('gives back every value a resource can hold', () => {
  const value: Value = {
    id: unknown,
    name: 'ü'.repeat(300),
    delay_ms: 1500,
    on: true,
    off: false,
    none: null,
    half: 0.5,
  }
  expect(decode(encode(value))).toEqual(value)
})

it('reads the short forms that terraform writes', () => {
  const bytes = Buffer.from([0x82, 0xa1, 0x61, 0x2a, 0xa1, 0x62, 0xd1, 0xff, 0x38])
  expect(decode(bytes)).toEqual({ a: 42, b: -200 })
})

it('reads an unknown value with a refinement as unknown', () => {
  expect(decode(Buffer.from([0xc7, 0x03, 0x0c, 0x81, 0x01, 0xc2]))).toBe(unknown)
})

it('refuses bytes that end too early', () => {
  expect(() => decode(Buffer.from([0xd9, 0x05, 0x61]))).toThrow('ends at byte 3')
})
