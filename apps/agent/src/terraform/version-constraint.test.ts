import { describe, expect, it } from 'vitest'
import { exactVersion, newestFirst, satisfiesConstraint } from './version-constraint.js'

describe('a version constraint', () => {
  it.each([
    ['1.9.8', '1.9.8', true],
    ['1.9.8', '= 1.9.8', true],
    ['1.9.8', 'v1.9.8', true],
    ['1.9.9', '1.9.8', false],
    ['1.9.0', '1.9', true],
    ['1.9.8', '~> 1.9', true],
    ['1.10.0', '~> 1.9', true],
    ['2.0.0', '~> 1.9', false],
    ['1.8.9', '~> 1.9', false],
    ['1.9.8', '~> 1.9.2', true],
    ['1.10.0', '~> 1.9.2', false],
    ['1.9.1', '~> 1.9.2', false],
    ['2.3.4', '~> 1', true],
    ['1.5.0', '>= 1.5, < 2.0', true],
    ['2.0.0', '>= 1.5, < 2.0', false],
    ['1.6.1', '>= 1.5, != 1.6.1', false],
    ['1.6.2', '>1.5,!=1.6.1', true],
    ['1.9.8', '', true],
    ['1.9.8', 'latest', true],
    ['1.12.0-beta1', '>= 1.5', false],
    ['1.12.0-beta1', '', false],
    ['1.12.0-beta1', '1.12.0-beta1', true],
  ])('%s against "%s": %s', (version, constraint, expected) => {
    expect(satisfiesConstraint(version, constraint)).toBe(expected)
  })

  it.each(['newest', '1.x', '>= ', '^1.2', '1.2.3.4', '1.2 || 1.3'])('that is "%s" cannot be read', (constraint) => {
    expect(satisfiesConstraint('1.9.8', constraint)).toBeUndefined()
  })

  it('names one version only when it is written whole', () => {
    expect(exactVersion('= 1.9.8')).toBe('1.9.8')
    expect(exactVersion('1.9')).toBeUndefined()
    expect(exactVersion('~> 1.9.8')).toBeUndefined()
    expect(exactVersion('1.9.8, 1.9.9')).toBeUndefined()
  })

  it('sorts by number, not by text', () => {
    expect(newestFirst(['1.9.0', 'junk', '1.10.0', '1.2.3'])).toEqual(['1.10.0', '1.9.0', '1.2.3'])
  })
})
