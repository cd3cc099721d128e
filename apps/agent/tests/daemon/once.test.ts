import { ExitCode } from '@iac-agent/runtime'
import { eventually, type FakeServer, startFakeServer } from '@iac-agent/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startDaemon } from '../_util/daemon.js'

let server: FakeServer
beforeEach(async () => {
  server = await startFakeServer()
})
afterEach(async () => await server[Symbol.asyncDispose]())

describe('an agent that is started for one run', () => {
  it('takes no second one beside it, delivers it, and ends with 0', async () => {
    await using daemon = await startDaemon({ server, isOnce: true })
    expect((await server.message('heartbeat')).plan_limit).toBe(1)
    const [first, second] = [1, 2].map(() => server.addTask({ workspace: { tf_code: {} } }))
    if (!first || !second) throw new Error('no tasks')
    server.offer(first)
    server.offer(second)
    expect(await daemon.ended).toBe(ExitCode.done)
    expect(first.finalStatus?.status).toBe('success')
    expect(first.seals).toHaveLength(1)
    await eventually('the refusal of the second', () => server.message('task_rejected'))
    expect(second.statuses).toEqual([])
  })

  it('ends with 4 when it is offered nothing', async () => {
    await using daemon = await startDaemon({ server, isOnce: true })
    expect(await daemon.ended).toBe(ExitCode.noWork)
  })
})
