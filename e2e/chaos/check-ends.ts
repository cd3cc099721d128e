/** Every task ends once, and as what really happened says: exit codes, cancels, answers, kills. */
import type { Breach, Evidence, TaskEvidence } from './evidence.js'
import type { FakeRun } from './fake-runs.js'
import { wasAsked } from './history.js'

export function checkEnds(evidence: Evidence): Breach[] {
  return evidence.tasks.flatMap((one) => {
    const { task, finals } = one
    if (task === undefined || finals.length === 0) return []
    const breaches: Breach[] = []
    const say = (what: string) => breaches.push({ kind: 'wrong ends', size: 1, what: `task ${task.id} ${what}` })
    if (finals.length > 1) say(`ended as ${finals.join(', then ')}`)
    const fault = faultOf(one, excusedOf(evidence, task.id))
    if (fault !== undefined) say(`is ${task.status} (${task.error_code}: ${task.error_message}), but ${fault}`)
    return breaches
  })
}

/** Attempt numbers of the task that may fail: we killed its terraform, or filled its disk. */
function excusedOf({ struck }: Evidence, taskId: number): Set<number> {
  const names = struck.flatMap(({ victim, onFullDisk = [] }) => [...onFullDisk, ...(victim ? [victim.attempt] : [])])
  const numbers = names.map((name) => name.split('-').map(Number))
  return new Set(numbers.flatMap(([id, number]) => (id === taskId && number !== undefined ? [number] : [])))
}

/** Why the status cannot be; undefined when it can. */
function faultOf(one: TaskEvidence, excused: ReadonlySet<number>): string | undefined {
  const { history, task, runs } = one
  if (task === undefined) return undefined
  const isFake = 'fake' in history.workspace.module
  const last = (command: FakeRun['command']) =>
    runs.findLast((run) => run.command === command && run.attempt === `${task.id}-${task.attempt}`)
  const [plan, apply] = [last('plan'), last('apply')]
  const cancelled = wasAsked(history.cancels)
  const isSteady = one.fate === 'steady'
  if (isSteady && task.status !== 'applied' && runs.some((run) => run.command === 'apply' && run.ended?.code === 0))
    return 'its apply ended with 0'
  switch (task.status) {
    case 'applied':
      return isFake && apply?.ended?.code !== 0 ? 'no apply of it ended with 0' : undefined
    case 'success':
      if (task.task_type === 'plan_and_apply' || task.task_type === 'destroy') return 'its type ends otherwise'
      return isFake && plan?.ended?.code !== 0 ? 'no plan of it ended with 0' : undefined
    case 'planned_and_finished':
      if (isSteady && runs.some(({ command }) => command === 'apply')) return 'an apply of it began'
      return isFake && plan?.ended?.code !== 0 ? 'no plan of it ended with 0' : undefined
    case 'cancelled':
      return cancelled || wasAsked(history.discards) ? undefined : 'nobody asked for its end'
    case 'failed':
      return isExplained(one, excused) ? undefined : 'nothing made it fail'
    default:
      return 'that is no end'
  }
}

function isExplained({ history, task, runs, fate }: TaskEvidence, excused: ReadonlySet<number>): boolean {
  if (task === undefined) return false
  if (excused.has(task.attempt ?? 0)) return true
  if (task.error_code === 'plan_stale') return fate === 'went back'
  if (task.error_code === 'lost') return wasAsked(history.declaredLost)
  // Given up after three attempts.
  if (task.error_code === 'lease_expired' || task.error_code === 'work_directory_busy')
    return ((task.attempt ?? 0) - 1) % 1000 >= 2
  const { module } = history.workspace
  const ownRuns = runs.filter(({ attempt }) => attempt === `${task.id}-${task.attempt}`)
  return 'fake' in module && ownRuns.some(({ command, ended }) => command === module.fake.fail && ended?.code === 1)
}
