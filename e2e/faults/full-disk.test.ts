import type { Task } from '@iac-agent/protocol'
import { eventually } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { agentOnSmallDisk, type SmallDiskAgent } from './small-disk.js'
import { applying, counting } from './ticking-apply.js'

const patient = { timeoutMs: 120_000 }

let rig: Rig
beforeAll(async () => {
  rig = await Rig.start({ args: ['--heartbeat-interval', '500ms'] })
})
afterAll(async () => await rig[Symbol.asyncDispose]())

describe.concurrent('an agent on a disk of 96 MB', { timeout: 240_000 }, () => {
  it('fails a task that fills it as disk_full, with its state and exit code, and runs the next one', async () => {
    await using small = await agentOnSmallDisk(rig, ['--min-free-disk', '24MiB'])
    const task = await greedyApply(small, `cat /dev/zero >all-of-it; ${printed(2)}; exit 3`)
    expect(task.error_code).toBe('disk_full')
    expect(task.error_message).toMatch(/exit(ed with)? (code|status) \d/)
    await expectGap(task)
    await goesOn(small)
  })

  it('ends also a task whose own output fills it, with what of its log there was room for', async () => {
    await using small = await agentOnSmallDisk(rig, ['--min-free-disk', '6MiB'])
    await small.fill({ butBytes: 10 * 1024 * 1024 })
    const task = await greedyApply(small, `${printed(5)}; cat /dev/zero >all-of-it`)
    expect(task.error_code).toBe('disk_full')
    await expectGap(task)
    await small.free()
    await goesOn(small)
  })

  it('waits out what somebody else fills it with, takes no work meanwhile, and then ends what it ran', async () => {
    await using small = await agentOnSmallDisk(rig, ['--min-free-disk', '24MiB'])
    const { agent } = small
    const { id, workspace } = await applying(rig, agent, counting(5))
    await small.fill()
    const next = await queueNext(small)
    await rig.taskWhen(next, 'waiting', ({ pending_reason }) => pending_reason?.code === 'agents_degraded')
    await small.free()
    await rig.reached(id, 'applied', patient)
    expect(await rig.addresses(workspace)).toEqual(['terraform_data.first', 'terraform_data.slow'])
    await rig.reached(next, 'applied', patient)
    await goesOn(small)
  })
})

/** The end of an apply whose second resource does this; its first one is in the state the server has. */
async function greedyApply({ agent }: SmallDiskAgent, command: string): Promise<Task> {
  const code = `
    resource "terraform_data" "first" {}
    resource "terraform_data" "greedy" {
      depends_on = [terraform_data.first]
      provisioner "local-exec" { command = "${command}" }
    }`
  const workspace = await rig.workspace(code, { pool_id: agent.poolId, auto_apply: true })
  const id = await rig.queue(workspace, 'plan_and_apply')
  const task = await rig.reached(id, 'failed', patient)
  expect(await rig.addresses(workspace)).toContain('terraform_data.first')
  return task
}

/** Long lines: the JSON around each line is what makes output slow. */
function printed(mebibytes: number): string {
  return `yes $(head -c 6000 /dev/zero | base64 -w 0) | head -c ${mebibytes * 1024 * 1024}`
}

async function expectGap({ id }: Task): Promise<void> {
  const log = await rig.client.tasks.logs({ params: { id }, query: { phase: 'apply' } })
  expect(log.headers.get('x-log-state')).toBe('gap')
  expect(await log.text()).toContain('terraform_data.first: Creation complete')
}

async function queueNext({ agent }: SmallDiskAgent): Promise<number> {
  const workspace = await rig.workspace('resource "terraform_data" "next" {}', {
    pool_id: agent.poolId,
    auto_apply: true,
  })
  return rig.queue(workspace, 'plan_and_apply')
}

/** The same process as ever runs another task to its end, by itself. */
async function goesOn(small: SmallDiskAgent): Promise<void> {
  await rig.reached(await queueNext(small), 'applied', patient)
  await eventually('the next one is delivered', async () => (await small.unfinished()).length === 0)
}
