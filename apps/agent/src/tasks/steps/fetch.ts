/** Gets everything the attempt needs from the server onto this disk: after it, the server may go away. */

import type { TaskData } from '@iac-agent/protocol'
import { writeFileAtomic } from '@iac-agent/runtime'
import { crashPoint } from '../../journal/crash-points.js'
import { allEnded } from '../all-ended.js'
import type { Attempt } from '../attempt.js'
import { type SupervisorTools, standBy } from '../stand-by.js'

/** Retried for as long as the server is away; a refusal ends the attempt. */
export async function fetchStep(attempt: Attempt, tools: SupervisorTools): Promise<void> {
  const { accessor, journal, layout, retry } = attempt.parts
  const { stopping } = attempt
  standBy(attempt, tools, attempt.offered.action)
  const isApply = attempt.offered.action === 'apply'
  const [data] = await allEnded([
    retry.run('get task data', stopping, () => accessor.getTaskData({ includeState: false })),
    isApply && retry.run('get plan', stopping, () => accessor.getPlan(layout.planArchive)),
  ])
  // After the data, which records what a plan is based on: a state that changes in between makes the plan stale, not wrong.
  const { configuration } = data
  const [hasState] = await allEnded([
    retry.run('get state', stopping, () => getState(attempt, data)),
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
    hasState,
    ...(baseSerial === undefined ? {} : { baseSerial }),
  })
  crashPoint('fetch.recorded')
}

async function getState(attempt: Attempt, data: TaskData): Promise<boolean> {
  if (data.state_version === undefined) return false
  return (await attempt.parts.accessor.getState(attempt.parts.layout.baseState)) !== undefined
}
