import { describe, expect, it } from 'vitest'
import { judgeNewcomer } from './newcomer.js'

const hello = (instance_id: string, boot_epoch: number) => ({ instance_id, boot_epoch })
const present = { hello: hello('one', 5), isAlive: true }

describe('a second socket of an agent', () => {
  it('replaces the first one of the same process', () => {
    expect(judgeNewcomer(present, hello('one', 5))).toBe('replace')
  })

  it('replaces it when it is a later start', () => {
    expect(judgeNewcomer(present, hello('two', 6))).toBe('replace')
  })

  it('is refused when it is another process of the same or an earlier start', () => {
    expect(judgeNewcomer(present, hello('two', 5))).toBe('refuse')
    expect(judgeNewcomer(present, hello('two', 4))).toBe('refuse')
  })

  it('replaces one without hello when it has none either', () => {
    expect(judgeNewcomer({ hello: undefined, isAlive: true }, undefined)).toBe('replace')
  })

  it('is refused when only one of the two said hello', () => {
    expect(judgeNewcomer(present, undefined)).toBe('refuse')
    expect(judgeNewcomer({ hello: undefined, isAlive: true }, hello('one', 1))).toBe('refuse')
  })

  it('replaces a dead one in any case', () => {
    expect(judgeNewcomer({ ...present, isAlive: false }, undefined)).toBe('replace')
  })
})
