/** An apply begins at most once a task, and only after its plan was confirmed. */
import type { Breach, TaskEvidence } from './evidence.js'
import type { FakeRun } from './fake-runs.js'
import { wasAsked } from './history.js'

export function checkStarts(evidence: TaskEvidence): Breach[] {
  const { history, task, runs } = evidence
  const starts = runs.filter(({ command }) => command === 'apply')
  const [first] = starts
  if (first === undefined) return []
  const name = `task ${task?.id ?? history.plan.key}`
  const breaches: Breach[] = []
  const again = starts.filter((start, index) => index > 0 && !isDecidedAnew(evidence, starts[index - 1], start))
  if (again.length > 0) {
    const list = starts.map(({ attempt, pid }) => `${attempt} as process ${pid}`).join(', ')
    breaches.push({ kind: 'double starts', size: again.length, what: `${name} began to apply as ${list}` })
  }
  const plan = planBefore(runs, first)
  if ('fake' in history.workspace.module && plan === undefined)
    breaches.push(unconfirmed(`${name} began to apply without a plan`))
  if (!history.workspace.autoApply && !wasAsked(history.confirms, first.beganAt)) {
    breaches.push(unconfirmed(`${name} began to apply before anybody confirmed its plan`))
  }
  return breaches
}

/** A restore may have taken a task back behind its apply: then a person settles what that did, and may confirm another plan. */
function isDecidedAnew({ fate, history, runs }: TaskEvidence, former: FakeRun | undefined, start: FakeRun): boolean {
  if (fate !== 'went back' || former === undefined) return false
  const plannedAt = planBefore(runs, start)?.ended?.at ?? 0
  const isConfirmed = history.confirms.some(({ sentAt }) => sentAt >= plannedAt && sentAt <= start.beganAt)
  return plannedAt > (former.ended?.at ?? former.beganAt) && isConfirmed
}

/** The last that ended well before it. */
function planBefore(runs: readonly FakeRun[], start: FakeRun): FakeRun | undefined {
  return runs.findLast((run) => run.command === 'plan' && run.ended?.code === 0 && run.ended.at <= start.beganAt)
}

function unconfirmed(what: string): Breach {
  return { kind: 'unconfirmed starts', size: 1, what }
}
