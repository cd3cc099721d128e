import { expect, it } from 'vitest'
import { checkLogs, type LogContext, type Torn } from './check-logs.js'
import type { StoredLog, TaskEvidence } from './evidence.js'
import { sampleApply, samplePlan, sampleServerTask, sampleTask } from './sample-evidence.js'

const context: LogContext = { tornOf: () => 'no', killed: new Set(), kept: [] }
const kinds = (task: TaskEvidence, changes: Partial<LogContext> = {}) =>
  checkLogs(task, { ...context, ...changes }).map(({ kind, size }) => `${kind} ${size}`)
const withApplyLog = (changes: Partial<StoredLog>, more: Partial<TaskEvidence> = {}) => {
  const [plan, apply] = sampleTask().logs
  if (plan === undefined || apply === undefined) throw new Error('the sample has two logs')
  return sampleTask({ logs: [plan, { ...apply, ...changes }], ...more })
}

it('are right when they hold what was printed', () => {
  expect(kinds(sampleTask())).toEqual([])
})

it.each([
  ['a lost line', 'creating\n', 'lost bytes 5'],
  ['a lost byte', 'creatin\ndone\n', 'lost bytes 9,doubled bytes 8'],
  ['a doubled line', 'creating\ncreating\ndone\n', 'doubled bytes 9'],
  ['lines in another order', 'done\ncreating\n', 'wrong logs 1'],
  ['nothing', '', 'lost bytes 14'],
  ['a word of the shell that killed nobody', 'creating\ndone\nKilled\n', 'doubled bytes 7'],
])('are wrong with %s', (_, text, found) => {
  expect(kinds(withApplyLog({ text })).join()).toBe(found)
})

it.each(['gap', 'uploading', 'unsealed'] as const)('are wrong when one is %s', (state) => {
  expect(kinds(withApplyLog({ state }))).toEqual(['wrong logs 1'])
})

it('are wrong when an attempt that ran has none', () => {
  expect(kinds(sampleTask({ logs: sampleTask().logs.slice(0, 1) }))).toEqual(['wrong logs 1', 'lost bytes 14'])
})

it('may lack the last line of a terraform that was killed, and no other', () => {
  const { ended: _, ...killed } = sampleApply()
  const runs = [samplePlan(), killed]
  for (const text of ['creating\n', 'creating\ndone\n', 'creating\nKilled\n', 'creating\ndone\nKilled\n'])
    expect(kinds(withApplyLog({ text }, { runs }))).toEqual([])
  expect(kinds(withApplyLog({ text: 'done\n' }, { runs }))).toEqual(['lost bytes 9'])
})

it("may end with the agent's reason, and with no other", () => {
  const task = sampleServerTask({ status: 'failed', error_message: 'The disk broke.' })
  expect(kinds(withApplyLog({ text: 'creating\ndone\n\nError: The disk broke.\n' }, { task }))).toEqual([])
  expect(kinds(withApplyLog({ text: 'creating\ndone\n\nError: It rains.\n' }, { task }))).not.toEqual([])
})

it("never have terraform's own reason twice", () => {
  const runs = [samplePlan(), sampleApply({ texts: ['creating\n', '\nError: refused\n'] })]
  const twice = { text: 'creating\n\nError: refused\n\nError: refused\n' }
  const task = sampleServerTask({ status: 'failed', error_message: 'refused by the fake' })
  expect(kinds(withApplyLog(twice, { runs, task }))).toEqual(['doubled bytes 16'])
  expect(kinds(withApplyLog(twice, { runs, task: { ...task, attempt: 3 } }))).toEqual(['doubled bytes 16'])
})

it('on a full disk may have a gap that is told, and are wrong when called complete', () => {
  const runs = [samplePlan(), sampleApply({ lostBytes: 5 })]
  const torn: Partial<LogContext> = { tornOf: () => 'told' }
  expect(kinds(withApplyLog({ text: 'creating\n', state: 'gap' }, { runs }), torn)).toEqual([])
  expect(kinds(withApplyLog({ text: 'creating\n' }, { runs }), torn)).toEqual(['wrong logs 1'])
  expect(kinds(withApplyLog({ text: 'done\ncreating\n', state: 'gap' }, { runs }), torn)).not.toEqual([])
  expect(kinds(withApplyLog({ text: 'creating\n', state: 'gap' }, { runs }))).toEqual(['wrong logs 1', 'wrong logs 1'])
})

it('of a task that a restored server does not know are what its agent keeps', () => {
  const gone = sampleTask({ task: undefined, logs: [], runs: [samplePlan()], fate: 'gone' })
  const keeps = (log: string) => ({ kept: [{ attempt: '7-1', log, stateChecksums: [] }] })
  expect(kinds(gone, keeps('planning\nPlan: 1 to add\n'))).toEqual([])
  expect(kinds(gone, keeps('planning\n'))).toEqual(['lost bytes 15'])
  expect(kinds(gone)).toEqual(['wrong logs 1', 'lost bytes 24'])
})

it('of the real terraform have each tick once', () => {
  const history = { ...sampleTask().history }
  const real = { ...history, workspace: { ...history.workspace, module: { real: { resources: 1, ticks: 2 } } } }
  const tick = (number: string) => `terraform_data.r1 (local-exec): tick ${number}\n`
  const check = (text: string, changes: Partial<StoredLog> = {}, torn: Torn = 'no') =>
    kinds(withApplyLog({ text, ...changes }, { history: real, runs: [] }), { tornOf: () => torn })
  expect(check(tick('1.1') + tick('1.2'))).toEqual([])
  expect(check(tick('1.1'))).toEqual(['lost bytes 4'])
  expect(check(tick('1.1') + tick('1.1') + tick('1.2'))).toEqual(['doubled bytes 4'])
  expect(check(tick('1.2'), { state: 'gap' }, 'told')).toEqual([])
  expect(check(tick('1.2'), { state: 'gap' })).toEqual(['wrong logs 1', 'lost bytes 4'])
  expect(check(tick('1.2'), {}, 'told')).toEqual(['lost bytes 4'])
  expect(check(tick('1.2') + tick('1.1'), {}, 'untold')).not.toEqual([])
})
