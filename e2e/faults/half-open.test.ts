import {
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  type RunningAgent,
  startAgent,
  startFaultProxy,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'

/** An agent takes a silence of three heartbeats for the end of a connection. */
const heartbeatMs = 300
const lines = 60

let rig: Rig
let home: TemporaryDirectory
let terraform: string

beforeAll(async () => {
  rig = await Rig.start({ args: ['--heartbeat-interval', `${heartbeatMs}ms`] })
  home = await temporaryDirectory('fake')
  terraform = await layOutFakeTerraform(home.path)
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

it('notices that the network swallows everything, connects again, and delivers what was under way', async () => {
  await using proxy = await startFaultProxy({ target: rig.server.url })
  await throughSilence(proxy.url, {
    begin: () => proxy.blackhole('both'),
    end: () => proxy.heal(),
  })
})

it('notices that answers alone are swallowed, connects again, and delivers what was under way once', async () => {
  await using proxy = await startFaultProxy({ target: rig.server.url })
  await throughSilence(proxy.url, {
    begin: () => proxy.blackhole('down'),
    end: () => proxy.heal(),
  })
})

it('notices that the server stands still, connects again, and delivers what was under way', async () => {
  await throughSilence(rig.server.url, {
    begin: () => process.kill(rig.server.child.pid, 'SIGSTOP'),
    end: () => process.kill(rig.server.child.pid, 'SIGCONT'),
  })
})

async function throughSilence(url: string, silence: { begin(): void; end(): void }): Promise<void> {
  await using agent = await startAgent({
    server: { url },
    key: rig.pool.key,
    args: ['--terraform-path', terraform],
  })
  const code = fakeConfiguration({ lines, linePauseMs: 50 })
  const id = await rig.queue(await rig.workspace(code), 'plan')
  await eventually('some of the log', async () => ((await rig.task(id)).plan_output ?? '').split('\n').length > 5)
  const connections = connectionsOf(agent)
  silence.begin()
  try {
    await agent.child.waitForLine('server is silent, connection cut')
  } finally {
    silence.end()
  }
  await eventually('a new connection', () => connectionsOf(agent) > connections, { timeoutMs: 30_000 })
  await rig.reached(id, 'success')
  const response = await rig.client.tasks.logs({ params: { id }, query: { phase: 'plan' } })
  const text = await response.text()
  expect(response.headers.get('x-log-state')).toBe('complete')
  const numbers = [...text.matchAll(/^.*\bline (\d+)/gm)].map(([, number]) => Number(number))
  expect(numbers).toHaveLength(lines)
  expect(new Set(numbers).size).toBe(lines)
  await nothingLeft(agent)
}

function connectionsOf(agent: RunningAgent): number {
  return agent.child.log.records.filter(({ msg, phase }) => msg === 'control state' && phase === 'connected').length
}
