/** Where the agent stands with its server, and what the end of a connection makes of it: pure. */
import { closeCodes } from '@iac-agent/protocol'
import { retryAfterMs, ServerRefused } from '../server-api/errors.js'

/**
 * - `connecting`: the first connection is being made
 * - `connected`: the server welcomed this agent
 * - `waiting`: not connected, tried again after a pause
 * - `http_only`: the WebSocket does not come up, heartbeats go over HTTP
 * - `unauthorized`: the server refuses the key; secrets are read again and tried on
 * - `version_skew`: the server does not serve this version; tried on, no new work
 * - `stopped`: over
 */
export type ControlPhase =
  | 'connecting'
  | 'connected'
  | 'waiting'
  | 'http_only'
  | 'unauthorized'
  | 'version_skew'
  | 'stopped'

export interface ControlState {
  phase: ControlPhase
  /** epoch milliseconds */
  since: number
  /** why the last connection failed or ended; undefined while connected */
  problem: string | undefined
}

/** Why the manager came to its end; after the last two it may not come back by itself. */
export type ControlEnd =
  | { end: 'stopped' }
  /** a later start of the same agent took over */
  | { end: 'replaced'; reason: string }
  /** another live process holds this agent id; `reason` names it */
  | { end: 'identity_in_use'; reason: string }

/** What a connection came to. */
export interface Setback {
  phase: 'waiting' | 'unauthorized' | 'version_skew'
  problem: string
  /** wait at least this long */
  atLeastMs: number
  /** do not come back */
  end?: ControlEnd
}

/** A connection was closed with a code. */
export function setbackOfClose(code: number, reason: string): Setback {
  const setback = { problem: `connection closed: ${code} ${reason}`.trim(), atLeastMs: 0 }
  switch (code) {
    case closeCodes.replaced:
      return { ...setback, phase: 'waiting', end: { end: 'replaced', reason } }
    case closeCodes.identityInUse:
      return { ...setback, phase: 'waiting', end: { end: 'identity_in_use', reason } }
    case closeCodes.unauthorized:
      return { ...setback, phase: 'unauthorized' }
    case closeCodes.versionSkew:
      return { ...setback, phase: 'version_skew' }
    default:
      return { ...setback, phase: 'waiting' }
  }
}

/** A connection did not come about. */
export function setbackOfError(err: unknown): Setback {
  const problem = err instanceof Error ? err.message : String(err)
  const code = err instanceof ServerRefused ? err.code : undefined
  const phase = code === 'unauthorized' || code === 'version_skew' ? code : 'waiting'
  return { phase, problem, atLeastMs: retryAfterMs(err) ?? 0 }
}
