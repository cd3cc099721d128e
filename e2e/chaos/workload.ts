/** What a round asks for: workspaces with the tasks that are queued in each, and what their operator does to them. Drawn up front. */
import type { TaskType } from '@iac-agent/protocol'
import type { FakeScript } from '@iac-agent/testkit'
import type { Random } from './random.js'

/** A module of the real terraform: one `terraform_data` after the other, each of which prints its ticks. */
export interface RealModule {
  resources: number
  ticks: number
}

export interface PlannedTask {
  /** Names the task through everything, its Idempotency-Key too. */
  readonly key: string
  readonly atMs: number
  readonly type: TaskType
  /** What the operator does with its plan when it waits for an answer, so long after he saw it. */
  readonly answer: 'confirm' | 'discard'
  readonly answerAfterMs: number
  /** When the operator cancels it, from the round's begin. */
  readonly cancel?: { readonly atMs: number; readonly force: boolean }
}

export interface PlannedWorkspace {
  /** Names the workspace on the server. */
  readonly name: string
  readonly autoApply: boolean
  readonly module: { readonly fake: Partial<FakeScript> } | { readonly real: RealModule }
  /** In the order they are queued. */
  readonly tasks: readonly PlannedTask[]
}

export interface WorkloadSize {
  readonly tasks: number
  /** The last task is queued before this. */
  readonly queueForMs: number
  /** A restore of the server may lose tasks: an apply that hangs and that nobody knows any more is for a person at its host to end. */
  readonly mayLoseTasks: boolean
}

/** Of all tasks, at least this share runs the real terraform. */
const realShare = 0.08
const stubbornShare = 0.02
const cancelShare = 0.12
const failShare = 0.1

/** Histories of a workspace, by how often they are drawn. */
const histories = {
  plan: 14,
  drift_check: 4,
  plan_and_apply: 44,
  'plan_and_apply destroy': 8,
  'plan_and_apply plan_and_apply': 4,
  'plan_and_apply destroy plan_and_apply': 2,
  'plan_and_apply drift_check': 5,
  'plan plan plan': 4,
} as const

/** `name` is the round's, unique on the server. */
export function drawWorkload(random: Random, name: string, size: WorkloadSize): PlannedWorkspace[] {
  const workspaces: PlannedWorkspace[] = []
  for (let left = size.tasks; left > 0; ) {
    const workspace = drawWorkspace(random.fork(workspaces.length), `${name}-w${workspaces.length + 1}`, left, size)
    workspaces.push(workspace)
    left -= workspace.tasks.length
  }
  return workspaces
}

function drawWorkspace(
  random: Random,
  name: string,
  mostTasks: number,
  { queueForMs, mayLoseTasks }: WorkloadSize,
): PlannedWorkspace {
  const types = random.weighted(histories).split(' ').slice(0, mostTasks) as TaskType[]
  const autoApply = random.chance(0.6)
  const hanging = random.chance(stubbornShare) ? random.pick(['plan', 'apply'] as const) : false
  const stubborn = hanging && mayLoseTasks ? 'plan' : hanging
  if (stubborn)
    return {
      name,
      autoApply,
      module: { fake: { lines: 5, stubborn } },
      tasks: [stubbornTask(random, name, queueForMs)],
    }
  const tasks: PlannedTask[] = []
  let atMs = random.int(0, queueForMs)
  for (const type of types) {
    tasks.push(drawTask(random, `${name}-t${tasks.length + 1}`, type, atMs))
    atMs = random.int(atMs, queueForMs)
  }
  return { name, autoApply, module: drawModule(random), tasks }
}

/** Ends only by force. */
function stubbornTask(random: Random, name: string, queueForMs: number): PlannedTask {
  const atMs = random.int(0, queueForMs)
  const cancel = { atMs: atMs + random.int(500, 6_000), force: true }
  return { key: `${name}-t1`, atMs, type: 'plan_and_apply', answer: 'confirm', answerAfterMs: 0, cancel }
}

function drawTask(random: Random, key: string, type: TaskType, atMs: number): PlannedTask {
  const answer = random.chance(0.92) ? 'confirm' : 'discard'
  const task: PlannedTask = { key, atMs, type, answer, answerAfterMs: random.int(0, 1_000) }
  if (!random.chance(cancelShare)) return task
  return { ...task, cancel: { atMs: atMs + random.logarithmic(10, 8_000), force: random.chance(0.3) } }
}

function drawModule(random: Random): PlannedWorkspace['module'] {
  if (random.chance(realShare)) return { real: { resources: random.int(1, 3), ticks: random.int(1, 5) } }
  const isChatty = random.chance(0.05)
  return {
    fake: {
      lines: isChatty ? 3_000 : random.logarithmic(5, 200),
      batch: isChatty ? 50 : 1,
      lineBytes: random.logarithmic(20, 400),
      linePauseMs: isChatty ? 0 : random.int(0, 8),
      resources: random.int(0, 6),
      secret: random.chance(0.3),
      fail: random.chance(failShare) ? random.pick(['plan', 'apply'] as const) : false,
    },
  }
}
