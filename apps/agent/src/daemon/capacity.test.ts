import { expect, it } from 'vitest'
import { refusalOf } from './capacity.js'

const load = { takesWork: true, planRunning: 0, applyRunning: 0, planLimit: 2, isDegraded: false }

it('takes plans up to the limit', () => {
  expect(refusalOf({ ...load, planRunning: 1 }, 'plan')).toBeUndefined()
  expect(refusalOf({ ...load, planRunning: 2 }, 'plan')).toBe('agents_busy')
})

it('lets an apply be alone', () => {
  expect(refusalOf(load, 'apply')).toBeUndefined()
  expect(refusalOf({ ...load, planRunning: 1 }, 'apply')).toBe('agents_busy')
  expect(refusalOf({ ...load, applyRunning: 1 }, 'apply')).toBe('agents_busy')
  expect(refusalOf({ ...load, applyRunning: 1 }, 'plan')).toBe('agents_busy')
})

it('takes nothing while draining', () => {
  expect(refusalOf({ ...load, takesWork: false }, 'plan')).toBe('agents_draining')
})

it('takes nothing while the host is short of something', () => {
  expect(refusalOf({ ...load, isDegraded: true }, 'plan')).toBe('agents_degraded')
})
