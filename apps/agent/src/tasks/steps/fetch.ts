/** Gets everything the attempt needs from the server onto this disk: after it, the server may go away. */
import { writeFileAtomic } from '@iac-agent/runtime'
import { crashPoint } from '../../journal/crash-points.js'
import { hasBackendNote } from '../../terraform/init-cache.js'
import { allEnded } from '../all-ended.js'
import type { Attempt } from '../attempt.js'
import type { TerraformTools } from '../terraform-tools.js'

/** Retried for as long as the server is away; a refusal ends the attempt. */
export async function fetchStep(attempt: Attempt, { supervisors }: TerraformTools): Promise<void> {
  const { accessor, journal, layout, retry, work } = attempt.parts
  const { stopping } = attempt
  supervisors.standBy(attempt, hasBackendNote(work.path) ? attempt.offered.action : 'init')
  const isApply = attempt.offered.action === 'apply'
  const getState = () =>
    retry.run('get state', stopping, async () => (await accessor.getState(layout.baseState)) !== undefined)
  const [data, , hasStateOfApply] = await allEnded([
    retry.run('get task data', stopping, () => accessor.getTaskData({ includeState: false })),
    isApply && retry.run('get plan', stopping, () => accessor.getPlan(layout.planArchive)),
    isApply && getState(),
  ])
  // A plan's after the data, which records what it is based on: a state that changes in between makes the plan stale, not wrong.
  const { configuration } = data
  const [hasStateOfPlan] = await allEnded([
    !isApply && data.state_version !== undefined && getState(),
    configuration &&
      retry.run('get configuration', stopping, () => accessor.getConfiguration(layout.configuration, configuration)),
    writeFileAtomic(layout.data, JSON.stringify(data)),
  ])
  crashPoint('fetch.stored')
  const baseSerial = data.state_version?.serial
  await journal.append({
    fact: 'fetched',
    taskType: data.task.task_type,
    lineage: data.workspace.lineage,
    hasState: hasStateOfApply || hasStateOfPlan,
    ...(baseSerial === undefined ? {} : { baseSerial }),
  })
  crashPoint('fetch.recorded')
}
