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

it.each(['--min-free-disk', '--min-free-memory'])(
  'a host below %s takes no work, says why, and takes it when there is room again',
  async (floor) => {
    const agent = await rig.addAgent({ args: [floor, '9999999GiB'] })
    const id = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan')
    await eventually('the reason', async () => (await rig.task(id)).pending_reason?.code === 'agents_degraded')
    expect(await statusOf(agent)).toMatch(/^degraded {2}\d+ MiB of (disk|memory) free, \d+ MiB are the least$/m)
    await agent.stop()
    await agent.start({ args: [] })
    await rig.reached(id, 'success')
    expect(await statusOf(agent)).not.toContain('degraded')
    await agent.stop()
  },
)

async function statusOf({ dataDir }: RunningAgent): Promise<string> {
  const bin = join(repositoryRoot(), 'apps/agent/bin/iac-agent.js')
  return (await execa(process.execPath, [bin, 'status', '--data-dir', dataDir])).stdout
}
