import { expect, it } from 'vitest'
import { judgeState, type StateFacts } from './state-verdict.js'

const facts: StateFacts = {
  serial: 6,
  lineage: 'ours',
  current: { serial: 5, lineage: 'ours' },
  workspaceLineage: 'ours',
  maySetLineage: false,
  isStale: false,
  isPlan: false,
}

it('makes a newer serial of the same lineage current', () => {
  expect(judgeState(facts)).toEqual({ kind: 'current', serial: 6, lineage: 'ours' })
})

it('lets the later state of the same serial win', () => {
  expect(judgeState({ ...facts, serial: 5 })).toMatchObject({ kind: 'current', serial: 5 })
})

it('rescues an older serial', () => {
  expect(judgeState({ ...facts, serial: 4 })).toMatchObject({ kind: 'rescued', reason: 'older_serial', serial: 4 })
})

it('rescues whatever a stale writer sends, of any lineage', () => {
  const stale = judgeState({ ...facts, isStale: true, lineage: 'other', serial: 99 })
  expect(stale).toEqual({ kind: 'rescued', reason: 'stale_writer', serial: 99, lineage: 'other' })
})

it('rescues a state that a plan sends', () => {
  expect(judgeState({ ...facts, isPlan: true })).toMatchObject({ kind: 'rescued', reason: 'plan_phase' })
})

it('refuses another lineage, naming the expected one', () => {
  expect(judgeState({ ...facts, lineage: 'other' })).toEqual({ kind: 'other_lineage', expected: 'ours' })
  expect(judgeState({ ...facts, lineage: 'other', current: undefined })).toMatchObject({ kind: 'other_lineage' })
})

it('lets a first import set the lineage, and no later one', () => {
  const first = { ...facts, maySetLineage: true, lineage: 'other' }
  expect(judgeState({ ...first, current: undefined })).toEqual({ kind: 'current', serial: 6, lineage: 'other' })
  expect(judgeState(first)).toMatchObject({ kind: 'other_lineage' })
})

it('counts a missing serial or lineage as the current ones', () => {
  const bare = { ...facts, serial: undefined, lineage: undefined }
  expect(judgeState(bare)).toEqual({ kind: 'current', serial: 5, lineage: 'ours' })
  expect(judgeState({ ...bare, current: undefined })).toEqual({ kind: 'current', serial: 0, lineage: 'ours' })
})
