import { join } from 'node:path'
import { eventually, type RunningAgent, repositoryRoot } from '@iac-agent/testkit'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from '../rig.js'

let rig: Rig
beforeAll(async () => {
  rig = await Rig.start()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

it.each([
  ['--min-free-disk', 'disk'],
  ['--min-free-memory', 'memory'],
])('a host below %s takes no work, says why, and takes it when there is room again', async (floor, resource) => {
  const agent = await rig.addAgent({ args: [floor, '9999999GiB'] })
  const id = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan')
  const reason = await eventually('the reason', async () => {
    const { pending_reason } = await rig.task(id)
    return pending_reason?.code === 'agents_degraded' ? pending_reason : undefined
  })
  const short = { resource, free_bytes: expect.any(Number), floor_bytes: 9_999_999 * 1024 ** 3 }
  expect(reason.details).toEqual({
    agent_ids: [agent.agentId],
    shortages: [{ agent_id: agent.agentId, ...short }],
  })
  expect(reason.message).toMatch(
    new RegExp(`${agent.agentId} has \\d+ MiB of ${resource} free, \\d+ MiB are the least$`),
  )
  const shown = () => rig.client.agents.get({ params: { agent_id: agent.agentId } })
  expect(await shown()).toMatchObject({ state: 'degraded', shortage: short })
  expect(await statusOf(agent)).toMatch(/^degraded {2}\d+ MiB of (disk|memory) free, \d+ MiB are the least$/m)
  await agent.stop()
  await agent.start({ args: [] })
  await rig.reached(id, 'success')
  expect(await statusOf(agent)).not.toContain('degraded')
  await eventually('it is no longer said', async () => (await shown()).shortage === null)
  await agent.stop()
})

async function statusOf({ dataDir }: RunningAgent): Promise<string> {
  const bin = join(repositoryRoot(), 'apps/agent/bin/iac-agent.js')
  return (await execa(process.execPath, [bin, 'status', '--data-dir', dataDir])).stdout
}
