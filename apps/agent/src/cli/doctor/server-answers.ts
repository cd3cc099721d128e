/** What the server says to this agent: its key, the WebSocket upgrade, the time. Leaves nothing behind on the server. */

import { agentFleetEndpoints } from '@iac-agent/protocol'
import { systemClock } from '@iac-agent/runtime'
import { request } from 'undici'
import { ControlSocket } from '../../control/socket.js'
import { AgentApi } from '../../server-api/agent-api.js'
import { type CredentialSource, credentialHeaders } from '../../server-api/credentials.js'
import { ServerRefused } from '../../server-api/errors.js'
import type { Network } from '../../server-api/network.js'
import { ServerRequest } from '../../server-api/request.js'
import { type CheckResult, failed, ok, reasonOf, skipped } from './check.js'

export interface Probe {
  serverUrl: URL
  network: Network
  credentials: CredentialSource
}

/** More than this and times in logs, leases and certificates stop making sense. */
const mostSkewMs = 30_000

/** Asks about an agent that does not exist: "unknown" is said to good keys only. */
export async function checkCredentials(probe: Probe): Promise<CheckResult> {
  const api = new AgentApi(new ServerRequest({ ...probe, agentId: () => undefined }))
  try {
    await api.ccStatus('doctor')
    return ok('credentials', 'the server knows this key')
  } catch (error) {
    if (!(error instanceof ServerRefused))
      return failed('credentials', `no answer of an iac-server: ${reasonOf(error)}`)
    if (error.code === 'unauthorized')
      return failed('credentials', `${error.message}; check IAC_AGENT_APP_KEY and IAC_AGENT_APP_SECRET`)
    return ok('credentials', 'the server knows this key')
  }
}

/** Asks for a WebSocket without saying whose: refused, but otherwise than a plain request when the upgrade gets through. */
export async function checkUpgrade(probe: Probe): Promise<CheckResult> {
  try {
    const socket = await ControlSocket.connect({ ...probe, agentId: '' }, AbortSignal.timeout(10_000))
    socket.close(1000, 'doctor')
    return ok('upgrade', 'the WebSocket opens')
  } catch (error) {
    if (!(error instanceof ServerRefused)) {
      return failed(
        'upgrade',
        `the WebSocket does not come through: ${reasonOf(error)}; a proxy must pass Upgrade and Connection`,
      )
    }
    if (error.code === 'unauthorized') return skipped('upgrade', 'needs working credentials')
    const isDropped = (await plainAnswer(probe)) === error.message
    return isDropped
      ? failed('upgrade', 'a proxy takes the Upgrade header away: the server sees a plain request')
      : ok('upgrade', 'the WebSocket upgrade reaches the server')
  }
}

/** Compares with the Date header of the server (or of the proxy before it). */
export async function checkClock({ serverUrl, network }: Probe): Promise<CheckResult> {
  const before = systemClock.now()
  try {
    const answer = await request(urlOf(serverUrl, '/livez'), { dispatcher: network.dispatcher })
    await answer.body.dump()
    const theirs = Date.parse(String(answer.headers.date))
    if (Number.isNaN(theirs)) return skipped('clock', 'the server does not say its time')
    const skewMs = (before + systemClock.now()) / 2 - theirs
    const words = `this clock is ${Math.abs(skewMs / 1000).toFixed(1)} s ${skewMs < 0 ? 'behind' : 'ahead of'} the server's`
    return Math.abs(skewMs) > mostSkewMs ? failed('clock', `${words}; is NTP running on both?`) : ok('clock', words)
  } catch (error) {
    return failed('clock', `the server does not answer: ${reasonOf(error)}`)
  }
}

/** The message a request without upgrade gets. */
async function plainAnswer({ serverUrl, network, credentials }: Probe): Promise<string | undefined> {
  const url = urlOf(serverUrl, `${agentFleetEndpoints.control.path}?agent_id=`)
  const answer = await request(url, { dispatcher: network.dispatcher, headers: credentialHeaders(credentials) })
  const body = (await answer.body.json().catch(() => undefined)) as { error?: { message?: string } } | undefined // not ours: no message
  return body?.error?.message
}

function urlOf(serverUrl: URL, path: string): URL {
  return new URL(`${serverUrl.pathname.replace(/\/$/, '')}${path}`, serverUrl)
}
