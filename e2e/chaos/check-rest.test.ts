import { expect, it } from 'vitest'
import { checkAcknowledged, checkLeftovers } from './check-rest.js'
import type { Leftovers } from './evidence.js'
import {
  sampleEvidence,
  sampleHistory,
  sampleLeftovers,
  sampleServerTask,
  sampleTask,
  sampleWorkspace,
} from './sample-evidence.js'

const rests: [string, Partial<Leftovers>][] = [
  ['an attempt directory', { attempts: ['7-2'] }],
  ['a claim', { claims: ['ws-1.claim.x'] }],
  ['a process', { processes: ['10 sleep 60'] }],
  ['a port', { listeningSockets: 1 }],
  ['a task that is counted', { countedTasks: [7] }],
  ['an alarm', { alarms: ['{}'] }],
]

it('finds nothing where nothing is left', () => {
  expect(checkLeftovers(sampleEvidence())).toEqual([])
})

it.each(rests)('finds %s', (_, changes) => {
  expect(checkLeftovers(sampleEvidence({ leftovers: [sampleLeftovers(changes)] }))).toHaveLength(1)
})

it('finds a workspace that is locked', () => {
  const lock = { reason: 'task 7 applies', owner: 'task', task_id: 7, locked_at: '2026-01-01T00:00:00Z' }
  expect(checkLeftovers(sampleEvidence({ workspaces: [sampleWorkspace({ lock })] }))).toHaveLength(1)
})

it('finds what was acknowledged and is not there', () => {
  const lost = (task: Parameters<typeof sampleTask>[0], more = {}) =>
    checkAcknowledged(sampleEvidence({ tasks: [sampleTask(task)], ...more })).length
  expect(lost({})).toBe(0)
  expect(lost({ task: undefined })).toBe(1)
  expect(lost({ task: sampleServerTask({ confirmed_at: null }) })).toBe(1)
  const cancelled = sampleHistory({ cancels: [{ sentAt: 1_000, acknowledgedAt: 1_010, force: false }] })
  expect(lost({ history: cancelled })).toBe(1)
  expect(lost({}, { workspaces: [sampleWorkspace({ tasks: 2 })] })).toBe(1)
})

it('misses nothing that a restored backup cannot have', () => {
  const restores = [{ startedAt: 1_400, endedAt: 1_450, downAt: 1_600 }]
  const lost = (task: Parameters<typeof sampleTask>[0], restored = restores) =>
    checkAcknowledged(sampleEvidence({ tasks: [sampleTask(task)], restores: restored })).length
  const unconfirmed = sampleServerTask({ confirmed_at: null })
  expect(lost({ task: unconfirmed })).toBe(0)
  expect(lost({ task: unconfirmed }, [{ startedAt: 1_520, endedAt: 1_530, downAt: 1_600 }])).toBe(1)
})
