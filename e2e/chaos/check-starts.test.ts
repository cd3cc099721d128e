import { expect, it } from 'vitest'
import { checkStarts } from './check-starts.js'
import type { TaskEvidence } from './evidence.js'
import { sampleApply, sampleHistory, samplePlan, sampleTask } from './sample-evidence.js'

const kinds = (changes: Partial<TaskEvidence>) => checkStarts(sampleTask(changes)).map(({ kind }) => kind)
const confirmedAt = (sentAt: number) => sampleHistory({ confirms: [{ sentAt }] })

it('are right once, after the confirmation of a plan', () => {
  expect(kinds({})).toEqual([])
  const { workspace } = sampleHistory()
  const unattended = sampleHistory({ confirms: [], workspace: { ...workspace, autoApply: true } })
  expect(kinds({ history: unattended })).toEqual([])
})

it('are wrong twice, in one attempt or in two', () => {
  const again = sampleApply({ pid: 12, beganAt: 3_000 })
  expect(kinds({ runs: [samplePlan(), sampleApply(), again] })).toEqual(['double starts'])
  expect(kinds({ runs: [samplePlan(), sampleApply(), { ...again, attempt: '7-3' }] })).toEqual(['double starts'])
})

it('may be two when a restore came between and a person confirmed another plan', () => {
  const again = [
    samplePlan({ attempt: '7-1001', beganAt: 4_000, ended: { at: 4_100, code: 0 } }),
    sampleApply({ beganAt: 5_000 }),
  ]
  const runs = [samplePlan(), sampleApply(), ...again]
  const history = sampleHistory({ confirms: [{ sentAt: 1_500 }, { sentAt: 4_500 }] })
  expect(kinds({ runs, history, fate: 'went back' })).toEqual([])
  expect(kinds({ runs, history })).toEqual(['double starts'])
  expect(kinds({ runs, fate: 'went back' })).toEqual(['double starts'])
  const withoutPlan = runs.filter(({ attempt }) => attempt !== '7-1001')
  expect(kinds({ runs: withoutPlan, history, fate: 'went back' })).toEqual(['double starts'])
})

it('are wrong before anybody confirmed', () => {
  expect(kinds({ history: sampleHistory({ confirms: [] }) })).toEqual(['unconfirmed starts'])
  expect(kinds({ history: confirmedAt(2_001) })).toEqual(['unconfirmed starts'])
  expect(kinds({ history: confirmedAt(1_999) })).toEqual([])
})

it('are wrong without a plan that ended well before', () => {
  expect(kinds({ runs: [sampleApply()] })).toEqual(['unconfirmed starts'])
  expect(kinds({ runs: [samplePlan({ ended: { at: 1_100, code: 1 } }), sampleApply()] })).toEqual([
    'unconfirmed starts',
  ])
  expect(kinds({ runs: [samplePlan({ ended: { at: 2_050, code: 0 } }), sampleApply()] })).toEqual([
    'unconfirmed starts',
  ])
})
