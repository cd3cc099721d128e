/** An apply begins at most once a task, and only after its plan was confirmed. */
import type { Breach, TaskEvidence } from './evidence.js'
import { wasAsked } from './history.js'

export function checkStarts({ history, task, runs }: TaskEvidence): Breach[] {
  const starts = runs.filter(({ command }) => command === 'apply')
  const [first, ...more] = starts
  if (first === undefined) return []
  const name = `task ${task?.id ?? history.plan.key}`
  const breaches: Breach[] = []
  if (more.length > 0) {
    const list = starts.map(({ attempt, pid }) => `${attempt} as process ${pid}`).join(', ')
    breaches.push({ kind: 'double starts', size: more.length, what: `${name} began to apply as ${list}` })
  }
  const plan = runs.findLast((run) => run.command === 'plan' && run.ended?.code === 0 && run.ended.at <= first.beganAt)
  if ('fake' in history.workspace.module && plan === undefined)
    breaches.push(unconfirmed(`${name} began to apply without a plan`))
  if (!history.workspace.autoApply && !wasAsked(history.confirms, first.beganAt)) {
    breaches.push(unconfirmed(`${name} began to apply before anybody confirmed its plan`))
  }
  return breaches
}

function unconfirmed(what: string): Breach {
  return { kind: 'unconfirmed starts', size: 1, what }
}
