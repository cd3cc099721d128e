import { eventually, fakeConfiguration } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CancelRig } from './cancel-rig.js'
import { nothingLeft } from './leftovers.js'

const patient = { timeoutMs: 60_000 }

let bench: CancelRig
beforeAll(async () => {
  bench = await CancelRig.start('2s')
})
afterAll(async () => await bench[Symbol.asyncDispose]())

describe.concurrent('an agent that was stopped until its lease was over', () => {
  it('moves nothing with what it sends of its plan, which is kept beside the one that counts', async () => {
    const { rig } = bench
    await using first = await bench.loneAgent()
    const code = fakeConfiguration({ lines: 40, linePauseMs: 50 })
    const id = await rig.queue(await rig.workspace(code, { pool_id: first.poolId }), 'plan')
    await eventually('it plans', async () => (await rig.task(id)).plan_output?.length)
    process.kill(first.child.pid, 'SIGSTOP')
    await rig.taskWhen(id, 'queued again', ({ status }) => status === 'pending', patient)
    await using second = await rig.addAgent({ key: first.key, args: bench.agentArgs })
    const task = await rig.reached(id, 'success', patient)
    expect(task.agent_id).toBe(second.agentId) // offers to the stopped one are withdrawn, and count as attempts
    const newest = task.attempt ?? 0
    process.kill(first.child.pid, 'SIGCONT')
    await nothingLeft(first)
    expect(await logOf(id, 'plan', 1)).toBe(await bench.printed(id, 1))
    expect(await logOf(id, 'plan', newest)).toBe(await bench.printed(id, newest))
    expect(bench.finals(id)).toEqual(['success'])
  })

  it('leaves a task that was declared lost as it is, its state is rescued, and the workspace waits for a person', async () => {
    const { rig } = bench
    await using agent = await bench.loneAgent()
    const code = fakeConfiguration({ resources: 6, lines: 60, linePauseMs: 100 })
    const workspace = await rig.workspace(code, { pool_id: agent.poolId, auto_apply: true })
    const id = await rig.queue(workspace, 'plan_and_apply')
    const versions = async () => (await rig.client.states.list({ params: { id: workspace } })).items
    await eventually('a state is there', async () => (await versions()).length > 0, patient)
    process.kill(agent.child.pid, 'SIGSTOP')
    await rig.taskWhen(id, 'unreachable', ({ unreachable_since }) => unreachable_since !== null, patient)
    const { name } = await rig.client.agents.get({ params: { agent_id: agent.agentId } })
    await rig.client.tasks.declareLost({ params: { id }, body: { agent_name: name } })
    process.kill(agent.child.pid, 'SIGCONT')
    await nothingLeft(agent)
    const task = await rig.task(id)
    expect(task).toMatchObject({ status: 'failed', error_code: 'lost', attempt: 2 })
    expect([bench.finals(id), await bench.interrupts(task)]).toEqual([['failed'], 1])
    expect(await logOf(id, 'apply', 2)).toBe(await bench.printed(id, 2))
    const rescued = (await versions()).filter((version) => version.rescued)
    expect(rescued.length).toBeGreaterThan(0)
    expect(rescued.every(({ current }) => !current)).toBe(true)
    expect((await rig.client.workspaces.get({ params: { id: workspace } })).lock?.reason).toContain('declared lost')
    await rig.client.workspaces.unlock({ params: { id: workspace } })
    const newest = rescued.reduce((one, other) => ((one.serial ?? 0) > (other.serial ?? 0) ? one : other))
    await rig.client.states.promote({ params: { id: workspace, version_id: newest.id } })
    expect((await versions()).find(({ current }) => current)?.promoted_from).toBe(newest.id)
  })
})

async function logOf(id: number, phase: 'plan' | 'apply', attempt: number): Promise<string> {
  return (await bench.rig.client.tasks.logs({ params: { id }, query: { phase, attempt } })).text()
}
