import { describe, expect, it } from 'vitest'
import { judgeNewcomer } from './newcomer.js'

const hello = (instance_id: string, boot_epoch: number) => ({ instance_id, boot_epoch })
const present = { hello: hello('one', 5), isAlive: true, isProven: false }
const silent = { ...present, hello: undefined }
const says = (instance_id: string, boot_epoch: number) => ({ hello: hello(instance_id, boot_epoch), isProven: false })
const saysNothing = { hello: undefined, isProven: false }

describe('a second socket of an agent', () => {
  it('replaces the first one of the same process', () => {
    expect(judgeNewcomer(present, says('one', 5))).toBe('replace')
  })

  it('replaces it when it is a later start', () => {
    expect(judgeNewcomer(present, says('two', 6))).toBe('replace')
  })

  it('is refused when it is another process of the same or an earlier start', () => {
    expect(judgeNewcomer(present, says('two', 5))).toBe('refuse')
    expect(judgeNewcomer(present, says('two', 4))).toBe('refuse')
  })

  it('replaces one without hello when it has none either', () => {
    expect(judgeNewcomer(silent, saysNothing)).toBe('replace')
  })

  it('is refused when only one of the two said hello', () => {
    expect(judgeNewcomer(present, saysNothing)).toBe('refuse')
    expect(judgeNewcomer(silent, says('one', 1))).toBe('refuse')
  })

  it('replaces one that was let in without the secret, when it says it; not one that said it too', () => {
    const owner = { ...says('two', 4), isProven: true }
    expect(judgeNewcomer(present, owner)).toBe('replace')
    expect(judgeNewcomer({ ...present, isProven: true }, owner)).toBe('refuse')
  })

  it('replaces a dead one in any case', () => {
    expect(judgeNewcomer({ ...present, isAlive: false }, saysNothing)).toBe('replace')
  })
})
