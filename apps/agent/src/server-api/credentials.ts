/** The pool's key pair, as the agent was given it, and the secret by which the agent is known. */

interface Credentials {
  appKey: string
  appSecret: string
  /** Absent for somebody who is no agent (`doctor`). */
  agentSecret?: string | undefined
}

export interface CredentialSource {
  current(): Credentials
  /** Reads `*_FILE` secrets again; true when they changed. Never rejects: an unreadable file keeps the old ones. */
  reread(): Promise<boolean>
}

/** The headers that say who calls. */
export function credentialHeaders(source: CredentialSource): Record<string, string> {
  const { appKey, appSecret, agentSecret } = source.current()
  const own = agentSecret === undefined ? {} : { 'x-agent-secret': agentSecret }
  return { 'x-app-key': appKey, 'x-app-secret': appSecret, ...own }
}
