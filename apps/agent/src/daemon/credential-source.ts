/** What the server API wants to know an agent by, from the settings' secrets and the agent's own. */
import type { Logger, Secret, SecretSource } from '@iac-agent/runtime'
import type { CredentialSource } from '../server-api/credentials.js'

export interface CredentialParts {
  appKey: SecretSource
  appSecret: SecretSource
  /** Absent for somebody who is no agent (`doctor`). */
  agentSecret?: Secret
}

export function credentialSource({ appKey, appSecret, agentSecret }: CredentialParts, log: Logger): CredentialSource {
  const current = () => ({
    appKey: appKey.current.reveal(),
    appSecret: appSecret.current.reveal(),
    agentSecret: agentSecret?.reveal(),
  })
  return {
    current,
    async reread() {
      const before = current()
      try {
        await appKey.reload()
        await appSecret.reload()
      } catch (error) {
        log.warn({ err: error }, 'credentials cannot be read again') // the old ones go on
      }
      const now = current()
      return now.appKey !== before.appKey || now.appSecret !== before.appSecret
    },
  }
}
