/** What a fleet's agents share: where the server is, and who hears of what happens to them. */
import { type RunTask, timing } from '@iac-agent/protocol'
import type { ClientOptions } from 'ws'
import type { SimulatedAgent } from './simulated-agent.js'

export interface FleetContext {
  readonly planLimit: number
  /** The control socket of one agent. */
  door(agentId: string): { url: string; options: ClientOptions }
  onWelcome(agent: SimulatedAgent): void
  /** @param at of `performance.now()`, before the message was parsed */
  onRunTask(agent: SimulatedAgent, task: RunTask, at: number): void
  onAcknowledged(): void
  /** An upgrade was answered by this status. */
  onRefused(status: number): void
  /** A socket closed with this code. */
  onLost(code: number, wasWelcome: boolean): void
}

/** The agent's rule: full jitter, from 0.5 s doubling to 3 s while it holds anything, to 10 s else. @param failures in a row */
export function reconnectPauseMs(failures: number, isBusy: boolean): number {
  const most = isBusy ? timing.reconnectBusyMs : timing.reconnectIdleMs
  return Math.random() * Math.min(most, timing.reconnectFirstMs * 2 ** failures)
}
