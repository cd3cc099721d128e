import type { StateVersion } from '@iac-agent/protocol'
import { expect, it } from 'vitest'
import { checkStates } from './check-states.js'
import type { Evidence } from './evidence.js'
import {
  sampleApply,
  sampleEvidence,
  sampleHistory,
  sampleLeftovers,
  samplePlan,
  sampleTask,
  sampleWorkspace,
} from './sample-evidence.js'

const kinds = (changes: Partial<Evidence>) => checkStates(sampleEvidence(changes)).map(({ kind }) => kind)
const version = (changes: Partial<StateVersion>) =>
  ({ serial: 1, checksum: 'aa', current: true, ...changes }) as StateVersion

it('are right when all are there and the newest has all that was made', () => {
  expect(kinds({})).toEqual([])
})

it('are wrong when one that terraform was told is safe is not on the server', () => {
  const twice = sampleApply({
    posted: [
      { serial: 1, sha256: 'aa' },
      { serial: 2, sha256: 'bb' },
    ],
  })
  const tasks = [sampleTask({ runs: [samplePlan(), twice] })]
  expect(kinds({ tasks })).toEqual(['lost states', 'wrong states'])
  const [older, newer] = [version({ current: false }), version({ serial: 2, checksum: 'bb' })]
  expect(kinds({ tasks, workspaces: [sampleWorkspace({ versions: [older, newer] })] })).toEqual([])
  const swapped = [version({}), version({ serial: 2, checksum: 'bb', current: false })]
  expect(kinds({ tasks, workspaces: [sampleWorkspace({ versions: swapped })] })).toEqual(['wrong states'])
})

it('are wrong when the newest lacks a resource, has another one, or one too many', () => {
  const holding = (entries: [string, string][]) =>
    kinds({ workspaces: [sampleWorkspace({ current: new Map(entries) })] })
  expect(holding([])).toEqual(['wrong states'])
  expect(holding([['terraform_data.r[0]', 'i-2']])).toEqual(['wrong states'])
  expect(
    holding([
      ['terraform_data.r[0]', 'i-1'],
      ['terraform_data.r[1]', 'i-2'],
    ]),
  ).toEqual(['wrong states'])
})

it('follow what was destroyed', () => {
  const destroy = sampleApply({
    attempt: '8-2',
    beganAt: 3_000,
    posted: [],
    completed: [{ address: 'terraform_data.r[0]' }],
  })
  const tasks = [sampleTask(), sampleTask({ runs: [destroy] })]
  expect(kinds({ tasks })).toEqual(['wrong states'])
  expect(kinds({ tasks, workspaces: [sampleWorkspace({ current: new Map() })] })).toEqual([])
})

it.each([
  ['created', 'terraform_data.r[0]: Creating...\n', [], []],
  ['destroyed', 'terraform_data.r[0]: Destroying... [id=i-1]\n', [{ address: 'terraform_data.r[0]', id: 'i-1' }], []],
] as const)(
  'are in doubt of what was being %s by a killed terraform, and of nothing else',
  (_, begun, before, after) => {
    const { ended: _ended, ...killed } = sampleApply({
      attempt: '8-2',
      beganAt: 3_000,
      texts: [begun],
      posted: [],
      completed: after.slice(),
    })
    const tasks = [sampleTask({ runs: [sampleApply({ completed: before.slice() })] }), sampleTask({ runs: [killed] })]
    const holding = (...entries: [string, string][]) =>
      kinds({ tasks, workspaces: [sampleWorkspace({ current: new Map(entries) })] })
    expect(holding(['terraform_data.r[0]', 'i-1'])).toEqual([])
    expect(holding()).toEqual([])
    expect(holding(['terraform_data.r[1]', 'i-2'])).toEqual(['wrong states'])
    const interrupted = sampleTask({ runs: [{ ...killed, ended: { at: 4_000, code: 1 }, interrupts: 2 }] })
    expect(
      kinds({ tasks: [...tasks.slice(0, 1), interrupted], workspaces: [sampleWorkspace({ current: new Map() })] }),
    ).toEqual([])
  },
)

it('of a task that nobody knows any more are what its agent keeps', () => {
  const tasks = [sampleTask({ task: undefined, fate: 'gone' })]
  const workspaces = [sampleWorkspace({ versions: [], current: new Map() })]
  expect(kinds({ tasks, workspaces })).toEqual(['lost states'])
  const unknown = [{ attempt: '7-2', log: '', stateChecksums: ['aa'] }]
  expect(kinds({ tasks, workspaces, leftovers: [sampleLeftovers({ unknown })] })).toEqual([])
})

it('of the real terraform have what its log says was made, or the server lists it', () => {
  const history = sampleHistory()
  const real = { ...history.workspace, module: { real: { resources: 1, ticks: 1 } } }
  const text = 'terraform_data.r1: Creation complete after 0s [id=0f86b0c7]\n'
  const logs = [{ attempt: 2, phase: 'apply', state: 'complete', text }] as const
  const made = sampleTask({ history: { ...history, workspace: real }, runs: [], logs })
  const of = (id: string) => [sampleWorkspace({ planned: real, current: new Map([['terraform_data.r1', id]]) })]
  expect(kinds({ tasks: [made], workspaces: of('0f86b0c7') })).toEqual([])
  expect(kinds({ tasks: [made], workspaces: of('11111111') })).toEqual(['wrong states'])
  expect(kinds({ tasks: [{ ...made, unrecorded: ['terraform_data.r1'] }], workspaces: of('11111111') })).toEqual([])
})

it('of the real terraform are told by the order in which applies began, not by that of the plan', () => {
  const history = sampleHistory()
  const real = { ...history.workspace, module: { real: { resources: 1, ticks: 1 } } }
  const task = (text: string, beganAt: number) =>
    sampleTask({
      history: { ...history, workspace: real },
      runs: [sampleApply({ beganAt, texts: [], posted: [], completed: [] })],
      logs: [{ attempt: 2, phase: 'apply', state: 'complete', text }],
    })
  const destroyed = task('terraform_data.r1: Destruction complete after 0s\n', 2_000)
  const made = task('terraform_data.r1: Creation complete after 0s [id=0f86b0c7]\n', 1_000)
  const workspaces = [sampleWorkspace({ planned: real, current: new Map() })]
  expect(kinds({ tasks: [destroyed, made], workspaces })).toEqual([])
  expect(kinds({ tasks: [task('', 3_000), made], workspaces })).toEqual(['wrong states'])
})
