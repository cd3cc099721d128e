/** An agent that is the only one of its pool, so that a test knows who gets its tasks. */
import { type AgentOptions, createPoolAndKey, type PoolAndKey, type RunningAgent, startAgent } from '@iac-agent/testkit'
import type { Rig } from '../rig.js'

export type LoneAgent = RunningAgent & PoolAndKey

let pools = 0

export async function loneAgent(on: Rig, options: Partial<AgentOptions> = {}): Promise<LoneAgent> {
  const pool = await createPoolAndKey(on.client, `lone-${++pools}`)
  return Object.assign(await startAgent({ server: on.server, key: pool.key, ...options }), pool)
}
