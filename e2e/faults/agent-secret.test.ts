import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunningAgent, startFakeAgent } from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from '../rig.js'

let rig: Rig
let agent: RunningAgent

beforeAll(async () => {
  rig = await Rig.start()
  agent = await rig.addAgent()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

it('nobody else takes the place of an agent with the pair of its pool alone', async () => {
  const impostor = { url: rig.server.url, key: rig.pool.key, agentId: agent.agentId, bootEpoch: 1_000 }
  await expect(startFakeAgent(impostor)).rejects.toThrow(/register answered 403.*X-Agent-Secret/)
  await expect(startFakeAgent({ ...impostor, seedOnly: true })).rejects.toThrow('403')
  await rig.reached(await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan'), 'success')
})

it('an agent that lost its secret is refused with a sentence, and let in again once an operator deleted it', async () => {
  await agent.stop()
  const path = join(agent.dataDir, 'agent.json')
  const { secret, ...rest } = JSON.parse(await readFile(path, 'utf8')) as { secret: string }
  await writeFile(path, JSON.stringify(rest))
  await expect(agent.start()).rejects.toThrow()
  expect(await agent.child.exited).toEqual({ code: 3, signal: null })
  const log = await readFile(join(agent.dataDir, '../agent.log'), 'utf8')
  expect(log).toContain(
    `is known by another X-Agent-Secret; if its data directory was lost, DELETE /api/v1/agents/${agent.agentId}`,
  )
  expect(log).not.toContain(secret)

  const deleted = await fetch(`${rig.server.url}/api/v1/agents/${agent.agentId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${rig.server.operatorToken}` },
  })
  expect(deleted.status).toBe(200)
  await agent.start()
  await rig.reached(await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan'), 'success')
})
