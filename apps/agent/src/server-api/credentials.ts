/** The pool's key pair, as the agent was given it. */

interface Credentials {
  appKey: string
  appSecret: string
}

export interface CredentialSource {
  current(): Credentials
  /** Reads `*_FILE` secrets again; true when they changed. Never rejects: an unreadable file keeps the old ones. */
  reread(): Promise<boolean>
}

/** The headers that say who calls. */
export function credentialHeaders(source: CredentialSource): Record<string, string> {
  const { appKey, appSecret } = source.current()
  return { 'x-app-key': appKey, 'x-app-secret': appSecret }
}
