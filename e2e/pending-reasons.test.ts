import type { PendingReason } from '@iac-agent/protocol'
import { fakeConfiguration, layOutFakeTerraform, type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LoneAgent, loneAgent } from './faults/lone-agent.js'
import { Rig } from './rig.js'

const anything = 'output "a" { value = 1 }'
const hanging = fakeConfiguration({ stubborn: 'plan' })

let rig: Rig
let home: TemporaryDirectory
let fake: readonly string[]
beforeAll(async () => {
  rig = await Rig.start()
  home = await temporaryDirectory('fake-terraform')
  fake = ['--terraform-path', await layOutFakeTerraform(home.path), '--cancel-grace', '200ms']
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

describe.concurrent('a task that waits says why', () => {
  it('no_agent_with_labels: none has what the workspace asks for', async () => {
    await using agent = await loneAgent(rig, { args: ['--labels', 'zone=a'] })
    const id = await queued(agent, anything, { labels: { zone: 'b' } })
    expect(await reasonOf(id, 'no_agent_with_labels')).toMatchObject({
      message: 'no connected agent has the labels zone=b',
      details: { labels: { zone: 'b' } },
    })
    await rig.client.tasks.cancel({ params: { id } })
  })

  it('no_agent_with_work_root: the plan is bound to a directory that is elsewhere', async () => {
    await using agent = await loneAgent(rig)
    const id = await queued(agent, 'resource "terraform_data" "a" {}', {}, 'plan_and_apply')
    await rig.reached(id, 'apply_pending')
    await agent.stop()
    await using other = await temporaryDirectory('work-root')
    await agent.start({ args: ['--work-root', other.path] })
    await rig.confirm(id)
    await reasonOf(id, 'no_agent_with_work_root')
    await agent.stop()
    await agent.start({ args: [] })
    await rig.reached(id, 'applied')
  })

  it('agents_draining: those that could run it end what they have', async () => {
    await using agent = await loneAgent(rig)
    await rig.client.agents.drain({ params: { agent_id: agent.agentId } })
    const id = await queued(agent, anything)
    expect((await reasonOf(id, 'agents_draining')).details).toEqual({ agent_ids: [agent.agentId] })
    await rig.client.agents.undrain({ params: { agent_id: agent.agentId } })
    await rig.reached(id, 'success')
  })

  it('work_directory_busy: another plan of the workspace runs on the only agent', async () => {
    await using agent = await loneAgent(rig, { args: fake })
    const first = await queued(agent, hanging)
    const { workspace_id } = await rig.reached(first, 'running')
    const second = await rig.queue(workspace_id, 'plan')
    await reasonOf(second, 'work_directory_busy')
    for (const id of [second, first]) await rig.client.tasks.cancel({ params: { id } })
    await rig.reached(first, 'cancelled')
  })

  it('workspace_busy: another task may change it', async () => {
    await using agent = await loneAgent(rig)
    const first = await queued(agent, 'resource "terraform_data" "a" {}', {}, 'plan_and_apply')
    const { workspace_id } = await rig.reached(first, 'apply_pending')
    const second = await rig.queue(workspace_id, 'plan_and_apply')
    expect((await reasonOf(second, 'workspace_busy')).message).toBe(`task ${first} holds the workspace`)
    await rig.client.tasks.discard({ params: { id: first } })
    await rig.reached(second, 'apply_pending')
  })

  it('awaiting_agent: it is offered, and not answered', async () => {
    await using agent = await loneAgent(rig)
    process.kill(agent.child.pid, 'SIGSTOP')
    const id = await queued(agent, anything)
    expect((await reasonOf(id, 'awaiting_agent')).details).toMatchObject({ agent_id: agent.agentId })
    process.kill(agent.child.pid, 'SIGCONT')
    await rig.reached(id, 'success')
  })
})

async function queued(
  { poolId }: LoneAgent,
  code: string,
  more: Parameters<Rig['workspace']>[1] = {},
  type: 'plan' | 'plan_and_apply' = 'plan',
): Promise<number> {
  return rig.queue(await rig.workspace(code, { pool_id: poolId, ...more }), type)
}

async function reasonOf(id: number, code: PendingReason['code']): Promise<PendingReason> {
  const task = await rig.taskWhen(id, `waiting for ${code}`, ({ pending_reason }) => pending_reason?.code === code)
  if (task.pending_reason === null) throw new Error(`task ${id} has no reason any more`)
  return task.pending_reason
}
