/** How long an agent waits before it comes back. */
import { timing } from '@iac-agent/protocol'

/** The agent's rule: full jitter, from 0.5 s doubling to 3 s while it holds anything, to 10 s else. @param failures in a row */
export function reconnectPauseMs(failures: number, isBusy: boolean): number {
  const most = isBusy ? timing.reconnectBusyMs : timing.reconnectIdleMs
  return Math.random() * Math.min(most, timing.reconnectFirstMs * 2 ** failures)
}
