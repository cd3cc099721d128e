import { expect, it } from 'vitest'
import { type Row, strainOf, verdictOf } from './row.js'
import { figure, table } from './table.js'

const row = (ours: number, target?: Row['target']): Row => {
  return { what: 'a task', ours, limit: 100, unit: 'ms', against: 'bare', ...(target && { target }) }
}

it('judges a ratio, and a figure of ours alone, by their bounds', () => {
  expect(verdictOf(row(115, { of: 'ratio', atMost: 1.15 }))).toBe('met')
  expect(verdictOf(row(116, { of: 'ratio', atMost: 1.15 }))).toBe('missed')
  expect(verdictOf(row(70, { of: 'ratio', atLeast: 0.7 }))).toBe('met')
  expect(verdictOf(row(69, { of: 'ratio', atLeast: 0.7 }))).toBe('missed')
  expect(verdictOf(row(5, { of: 'ours', atMost: 5 }))).toBe('met')
  expect(verdictOf(row(6, { of: 'ours', atMost: 5 }))).toBe('missed')
  expect(verdictOf(row(6))).toBe('shown')
})

it('takes what was not measured for missed', () => {
  expect(verdictOf(row(Number.NaN, { of: 'ratio', atMost: 1 }))).toBe('missed')
  expect(verdictOf(row(Number.NaN, { of: 'ours', atLeast: 1 }))).toBe('missed')
})

it('tells how far beyond its target a row is', () => {
  expect(strainOf(row(150, { of: 'ratio', atMost: 1 }))).toBe(1.5)
  expect(strainOf(row(50, { of: 'ratio', atLeast: 1 }))).toBe(2)
  expect(strainOf(row(50))).toBeUndefined()
})

it('shows three digits, the target and the verdict', () => {
  expect(figure(12345.6)).toBe('12,346')
  expect(figure(0.012345)).toBe('0.0123')
  const lines = table([row(116, { of: 'ratio', atMost: 1.15 })]).split('\n')
  expect(lines[1]?.split(/\s{2,}/)).toEqual(['a task', '116 ms', '100 ms', 'bare', '1.16', '≤ 1.15 ×', 'missed'])
})
