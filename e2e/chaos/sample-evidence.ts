/** Evidence of a small round in which all held, for the checks' tests to break. */
import type { StateVersion, Task } from '@iac-agent/protocol'
import type { Evidence, Leftovers, TaskEvidence, WorkspaceEvidence } from './evidence.js'
import type { FakeRun } from './fake-runs.js'
import { newHistory, type TaskHistory } from './history.js'
import type { PlannedTask, PlannedWorkspace } from './workload.js'

/** Everything below may be replaced, to see what a check says. */
export function sampleTask(changes: Partial<TaskEvidence> = {}): TaskEvidence {
  return {
    history: sampleHistory(),
    task: sampleServerTask(),
    logs: [
      { attempt: 1, phase: 'plan', state: 'complete', text: 'planning\nPlan: 1 to add\n' },
      { attempt: 2, phase: 'apply', state: 'complete', text: 'creating\ndone\n' },
    ],
    unrecorded: [],
    runs: [samplePlan(), sampleApply()],
    finals: ['applied'],
    fate: 'steady',
    ...changes,
  }
}

export function sampleEvidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    tasks: [sampleTask()],
    workspaces: [sampleWorkspace()],
    leftovers: [sampleLeftovers()],
    struck: [],
    restores: [],
    ...changes,
  }
}

export function sampleHistory(changes: Partial<TaskHistory> = {}): TaskHistory {
  const asked = { sentAt: 100, acknowledgedAt: 110 }
  return {
    ...newHistory(planned, workspace, 'ws-1'),
    id: 7,
    created: asked,
    confirms: [{ sentAt: 1_500, acknowledgedAt: 1_510 }],
    ...changes,
  }
}

const planned: PlannedTask = { key: 'r1-w1-t1', atMs: 0, type: 'plan_and_apply', answer: 'confirm', answerAfterMs: 0 }
const workspace: PlannedWorkspace = {
  name: 'r1-w1',
  autoApply: false,
  module: { fake: { resources: 1 } },
  tasks: [planned],
}

export function samplePlan(changes: Partial<FakeRun> = {}): FakeRun {
  return {
    ...{ attempt: '7-1', workspaceId: 'ws-1', command: 'plan', pid: 10, beganAt: 1_000, ended: { at: 1_100, code: 0 } },
    ...{ texts: ['planning\n', 'Plan: 1 to add\n'], lostBytes: 0, posted: [], completed: [], interrupts: 0 },
    ...changes,
  }
}

export function sampleApply(changes: Partial<FakeRun> = {}): FakeRun {
  return {
    ...{
      attempt: '7-2',
      workspaceId: 'ws-1',
      command: 'apply',
      pid: 11,
      beganAt: 2_000,
      ended: { at: 2_100, code: 0 },
    },
    ...{ texts: ['creating\n', 'done\n'], lostBytes: 0, interrupts: 0 },
    ...{ posted: [{ serial: 1, sha256: 'aa' }], completed: [{ address: 'terraform_data.r[0]', id: 'i-1' }] },
    ...changes,
  }
}

export function sampleWorkspace(changes: Partial<WorkspaceEvidence> = {}): WorkspaceEvidence {
  const versions = [{ serial: 1, checksum: 'aa', current: true } as StateVersion]
  return {
    id: 'ws-1',
    planned: workspace,
    lock: null,
    versions,
    current: new Map([['terraform_data.r[0]', 'i-1']]),
    tasks: 1,
    ...changes,
  }
}

export function sampleLeftovers(changes: Partial<Leftovers> = {}): Leftovers {
  const nothing = {
    attempts: [],
    unknown: [],
    claims: [],
    processes: [],
    listeningSockets: 0,
    countedTasks: [],
    alarms: [],
  }
  return { agent: 'agent-1', ...nothing, ...changes }
}

export function sampleServerTask(changes: Partial<Task> = {}): Task {
  const task: Partial<Task> = {
    ...{ id: 7, workspace_id: 'ws-1', task_type: 'plan_and_apply', status: 'applied', stage: 'completed', attempt: 2 },
    ...{
      error_code: null,
      error_message: null,
      confirmed_at: '2026-01-01T00:00:00Z',
      cancel: null,
      pending_reason: null,
    },
    ...changes,
  }
  return task as Task
}
