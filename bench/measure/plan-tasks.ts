/** Plans of small workspaces, queued by the real API. */
import { randomBytes } from 'node:crypto'
import type { OperatorClient } from '@iac-agent/client'
import type { PoolAndKey } from '@iac-agent/testkit'
import { inLanes } from './simulated-fleet.js'

const tf_code = 'resource "terraform_data" "x" {\n}\n'

/** Makes workspaces; answers their ids. */
export async function makeWorkspaces(client: OperatorClient, { poolId }: PoolAndKey, count: number): Promise<string[]> {
  const ids: string[] = []
  const batch = randomBytes(4).toString('hex')
  const names = Array.from({ length: count }, (_, index) => `w-${batch}-${index}`)
  await inLanes(names, async (name) => {
    ids.push((await client.workspaces.create({ body: { name, pool_id: poolId, tf_code } })).id)
  })
  return ids
}

/** Queues a plan of each; answers the tasks' ids. */
export async function queuePlans(client: OperatorClient, workspaceIds: readonly string[]): Promise<number[]> {
  const ids: number[] = []
  await inLanes(workspaceIds, async (id) => {
    ids.push((await client.tasks.create({ params: { id }, body: { task_type: 'plan' } })).id)
  })
  return ids
}
