/** The pool's key pair as the server API wants it, from the settings' secrets. */
import type { Logger, SecretSource } from '@iac-agent/runtime'
import type { CredentialSource } from '../server-api/credentials.js'

export function credentialSource(key: SecretSource, secret: SecretSource, log: Logger): CredentialSource {
  const current = () => ({ appKey: key.current.reveal(), appSecret: secret.current.reveal() })
  return {
    current,
    async reread() {
      const before = current()
      try {
        await key.reload()
        await secret.reload()
      } catch (error) {
        log.warn({ err: error }, 'credentials cannot be read again') // the old ones go on
      }
      const now = current()
      return now.appKey !== before.appKey || now.appSecret !== before.appSecret
    },
  }
}
