import type { Task } from '@iac-agent/protocol'
import { eventually, fakeConfiguration } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CancelRig } from './cancel-rig.js'
import { agentCrashPointNames } from './crash-point-names.js'
import { nothingLeft } from './leftovers.js'
import { byLength, isLong } from './lengths.js'
import type { LoneAgent } from './lone-agent.js'

/** What a cancel may still come to when its agent died there: what was applied stays applied, what was not is not begun. */
const boundaries: Record<string, { status: Task['status'][]; applies: number }> = {
  'offer.accepted': { status: ['cancelled'], applies: 0 },
  'run.plan.intended': { status: ['cancelled'], applies: 0 },
  'run.plan.started': { status: ['cancelled'], applies: 0 },
  'run.plan.ended': { status: ['cancelled'], applies: 0 },
  'start_gate.asked': { status: ['cancelled'], applies: 0 },
  'start_gate.granted': { status: ['cancelled'], applies: 0 },
  'start_gate.recorded': { status: ['cancelled'], applies: 0 },
  'run.apply.intended': { status: ['cancelled'], applies: 0 },
  'run.apply.started': { status: ['cancelled', 'applied'], applies: 1 },
  'run.apply.ended': { status: ['applied'], applies: 1 },
  'run.apply.recorded': { status: ['applied'], applies: 1 },
  'finish.recorded': { status: ['cancelled'], applies: 0 },
}
const anyPoint = { status: ['cancelled', 'applied'] as Task['status'][], applies: undefined }
/** A run that nothing disturbs does not come to these. */
const besideTheRun = /^(start|cancel|resend|limit)\.|unrecorded/
const points = isLong
  ? (await agentCrashPointNames()).agent.filter((name) => !besideTheRun.test(name))
  : Object.keys(boundaries)

let bench: CancelRig
beforeAll(async () => {
  bench = await CancelRig.start()
})
afterAll(async () => await bench[Symbol.asyncDispose]())

describe.concurrent('a cancel', { timeout: 600_000 }, () => {
  it.each(points)('while the agent is dead, since %s, ends the task once', async (point) => {
    await using agent = await bench.loneAgent({ IAC_CRASH_POINT: point })
    const id = await queued(agent, fakeConfiguration({ resources: 3 }), { auto_apply: true })
    await agent.child.exited
    await bench.cancel(id)
    await agent.start({ env: {} })
    const { status, applies } = boundaries[point] ?? anyPoint
    const task = await bench.ended(id, point)
    expect(status).toContain(task.status)
    expect(await bench.interrupts(task)).toBeLessThanOrEqual(1)
    const begun = await bench.applies(id)
    expect(begun).toBe(applies ?? (task.status === 'applied' ? 1 : begun))
    expect(begun).toBeLessThanOrEqual(1)
    await nothingLeft(agent)
  })

  it('of an apply that is offered and not accepted ends it at once, and nothing is started when the agent hears of it', async () => {
    await using agent = await bench.loneAgent()
    const id = await queued(agent, fakeConfiguration({ resources: 1 }))
    await bench.rig.reached(id, 'apply_pending')
    process.kill(agent.child.pid, 'SIGSTOP')
    await bench.rig.confirm(id)
    const offered = ({ pending_reason }: Task) => pending_reason?.code === 'awaiting_agent'
    expect((await bench.rig.taskWhen(id, 'offered', offered)).agent_id).toBe(agent.agentId)
    await bench.cancel(id)
    expect((await bench.rig.task(id)).status).toBe('cancelled')
    process.kill(agent.child.pid, 'SIGCONT')
    await nothingLeft(agent)
    await bench.ended(id, 'offered')
    expect(await bench.applies(id)).toBe(0)
  })

  it('and a confirmation at once leave one of the two ends, never an apply that goes on', async () => {
    await using agent = await bench.loneAgent()
    const races = byLength({ short: 6, long: 40 })
    const ids = await Promise.all(
      Array.from({ length: races }, () => queued(agent, fakeConfiguration({ resources: 2, lines: 5 }))),
    )
    await Promise.all(ids.map((id) => bench.rig.reached(id, 'apply_pending', { timeoutMs: 120_000 })))
    await Promise.all(
      ids.map((id, index) => {
        const confirm = () => bench.rig.confirm(id).catch(() => undefined) // refused once it is cancelled
        return Promise.all(index % 2 === 0 ? [confirm(), bench.cancel(id)] : [bench.cancel(id), confirm()])
      }),
    )
    for (const id of ids) {
      const task = await bench.ended(id, `race of task ${id}`)
      expect(task.status).toBe('cancelled')
      expect(await bench.interrupts(task)).toBeLessThanOrEqual(1)
    }
    await nothingLeft(agent)
  })
})

it('a cancel is not lost and not sent twice when agent and server both die before, and again after, its interrupt', async () => {
  await using both = await CancelRig.start()
  const { rig } = both
  await using agent = await both.loneAgent()
  const workspace = await rig.workspace(fakeConfiguration({ stubborn: 'apply' }), {
    pool_id: agent.poolId,
    auto_apply: true,
  })
  const id = await rig.queue(workspace, 'plan_and_apply')
  await eventually('terraform hangs', async () => (await rig.task(id)).apply_output?.includes('hangs'))
  const killBoth = () => Promise.all([agent.stop('SIGKILL'), rig.server.stop('SIGKILL')])
  const startBoth = () => Promise.all([rig.server.start(), agent.start()])

  await agent.stop('SIGKILL')
  await both.cancel(id)
  await killBoth()
  await startBoth()
  const told = await rig.taskWhen(id, 'interrupted', ({ cancel }) => cancel?.rung === 'interrupt')
  expect(told.cancel).toMatchObject({ force: false, waiting_for: expect.stringContaining('only force goes further') })
  await killBoth()
  await startBoth()
  const beat = Date.now()
  await eventually('it is said again', async () => {
    const { last_heartbeat_at } = await rig.client.agents.get({ params: { agent_id: agent.agentId } })
    return last_heartbeat_at !== null && Date.parse(last_heartbeat_at) > beat + 1_500
  })
  expect(await both.interrupts(await rig.task(id))).toBe(1)
  expect((await rig.task(id)).cancel).toMatchObject({ rung: 'interrupt', since: told.cancel?.since })
  await both.cancel(id, true)
  const task = await both.ended(id, 'both died')
  expect([task.status, await both.interrupts(task)]).toEqual(['cancelled', 2])
  await nothingLeft(agent)
})

async function queued(agent: LoneAgent, code: string, more: { auto_apply?: boolean } = {}): Promise<number> {
  return bench.rig.queue(await bench.rig.workspace(code, { pool_id: agent.poolId, ...more }), 'plan_and_apply')
}
