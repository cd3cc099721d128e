/** Gets everything the attempt needs from the server onto this disk: after it, the server may go away. */
import { crashPoint } from '../../journal/crash-points.js'
import { allEnded } from '../all-ended.js'
import type { Attempt } from '../attempt.js'

/** Retried for as long as the server is away; a refusal ends the attempt. */
export async function fetchStep(attempt: Attempt): Promise<void> {
  const { accessor, journal, layout, retry } = attempt.parts
  const { stopping } = attempt
  const isApply = attempt.offered.action === 'apply'
  const getData = () => retry.run('get task data', stopping, () => accessor.getTaskData({ includeState: false }))
  const getState = () => retry.run('get state', stopping, () => accessor.getState(layout.baseState))
  const [data, early] = await allEnded([
    getData().then((found) => attempt.keepData(found)),
    getState(),
    isApply && retry.run('get plan', stopping, () => accessor.getPlan(layout.planArchive)),
  ])
  const { configuration, state_version: base } = data
  // What a plan is based on is what its data document names: a state that changes after it makes the plan stale, not wrong.
  const isBase = isApply || early?.version === base?.version
  const [state] = await allEnded([
    isBase ? early : base && getState(),
    configuration &&
      retry.run('get configuration', stopping, () => accessor.getConfiguration(layout.configuration, configuration)),
  ])
  crashPoint('fetch.stored')
  const baseSerial = base?.serial
  await journal.append({
    fact: 'fetched',
    taskType: data.task.task_type,
    lineage: data.workspace.lineage,
    hasState: state !== undefined,
    ...(baseSerial === undefined ? {} : { baseSerial }),
  })
  crashPoint('fetch.recorded')
}
