import { protocolVersion } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { sayHello } from '../../src/domain/agents/say-hello.js'
import { startApply } from '../../src/domain/attempts/start-apply.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { runningApply } from './running-attempts.js'
import { taskWorld } from './task-world.js'

/** A copy of the agent's data directory, started elsewhere, or one that lost its journal: it holds nothing. */
const cloneOf = (agent_id: string) => ({
  protocol_version: protocolVersion,
  agent_id,
  instance_id: 'the clone',
  boot_epoch: 2,
  tasks: [],
})

describe('a clone of an agent that applies', () => {
  it('is sent the run, and cannot start it: the task waits as unreachable for the first one, whose report counts', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const caller = await world.caller(taskId, 2)
    await startApply(world, { caller, taskId, startId: 'first' })
    const said = await sayHello(world, { agentId: 'a', hello: cloneOf('a') })
    expect(said?.unknown).toMatchObject([{ taskId, phase: 'apply', lease: { attempt: 2 } }])
    const clone = { ...caller, lease: said?.unknown[0]?.lease.leaseToken ?? '' }
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(startApply(world, { caller: clone, taskId, startId: 'clone' })).rejects.toMatchObject({
        code: 'already_started',
      })
    }
    expect(await world.task(taskId)).toMatchObject({ status: 'running', unreachable_since: expect.any(String) })
    expect(await world.attempt(taskId, 2)).toMatchObject({ state: 'live', start_id: 'first' })
    await reportStatus(world, { caller, taskId, report: { status: 'success' } })
    expect(await world.task(taskId)).toMatchObject({ status: 'applied', unreachable_since: null })
  })

  it('that starts it before the first one does leaves the first one at the gate', async () => {
    await using world = await taskWorld()
    const taskId = await runningApply(world)
    const caller = await world.caller(taskId, 2)
    await startApply(world, { caller, taskId, startId: 'clone' })
    await expect(startApply(world, { caller, taskId, startId: 'first' })).rejects.toMatchObject({
      code: 'already_started',
    })
    await startApply(world, { caller, taskId, startId: 'clone' })
    expect((await world.task(taskId)).unreachable_since).toBeNull()
  })
})
