import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { fromStrings } from './query-values.js'

describe('values of a query', () => {
  it('become numbers and booleans where the schema says so, and only when they are', () => {
    const schema = Type.Object({ n: Type.Integer(), f: Type.Number(), b: Type.Boolean(), s: Type.String() })
    expect(fromStrings(schema, { n: '10', f: '-1.5', b: 'true', s: '7' })).toEqual({ n: 10, f: -1.5, b: true, s: '7' })
    expect(fromStrings(schema, { n: '1e3', f: '', b: 'yes', other: '1' })).toEqual({
      n: '1e3',
      f: '',
      b: 'yes',
      other: '1',
    })
    expect(fromStrings(schema, { n: ['1', '2'] })).toEqual({ n: ['1', '2'] })
  })
})
