/** Whether one more attempt fits on this agent; pure. */
import type { Phase } from '@iac-agent/protocol'

export interface Load {
  takesWork: boolean
  planRunning: number
  applyRunning: number
  planLimit: number
  /** The host is short of disk or memory. */
  isDegraded: boolean
}

/** Why an offer is refused (the server's pending-reason words); undefined when it fits. Plans share, an apply is alone. */
export function refusalOf(
  load: Load,
  action: Phase,
): 'agents_draining' | 'agents_degraded' | 'agents_busy' | undefined {
  if (!load.takesWork) return 'agents_draining'
  if (load.isDegraded) return 'agents_degraded'
  if (load.applyRunning > 0) return 'agents_busy'
  const isFull = action === 'apply' ? load.planRunning > 0 : load.planRunning >= load.planLimit
  return isFull ? 'agents_busy' : undefined
}
