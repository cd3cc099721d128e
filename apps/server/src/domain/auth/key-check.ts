/** Whether an agent's key pair is good; remembered for seconds, since every request and every chunk asks. */
import type { Clock } from '@iac-agent/runtime'
import { findPoolKey, type PoolKeyRow } from '../../store/access-rows.js'
import type { Store } from '../../store/store.js'
import { hashOf, isSecretOf } from './credentials.js'

/** A revocation by this process counts at once; one by another process after at most this long. */
const rememberMs = 5_000
const expiryWarningMs = 14 * 86_400_000

export interface PoolIdentity {
  readonly poolId: string
  readonly keyId: string
  /** epoch ms; null: never */
  readonly expiresAt: number | null
}

interface Known {
  readonly key: PoolKeyRow
  readonly until: number
}

export class KeyCheck implements Disposable {
  readonly #known = new Map<string, Known>()
  readonly #warned = new Set<string>()
  readonly #unsubscribe: () => void

  constructor(
    private readonly deps: {
      store: Store
      clock: Clock
      /** told, once per key and process, that it expires within 14 days */
      onExpiresSoon?: (keyId: string, expiresAt: number) => void
    },
  ) {
    this.#unsubscribe = deps.store.changes.subscribe((changes) => {
      for (const change of changes) if (change.kind === 'key') this.#forget(change.keyId)
    })
  }

  /**
   * The pool a pair belongs to, or null: unknown, wrong, revoked or expired, which look alike from outside. At once when its key is
   * remembered, and no promise then: every request of an agent asks.
   */
  check(appKey: string, appSecret: string): PoolIdentity | null | Promise<PoolIdentity | null> {
    const known = this.#known.get(appKey)
    if (known !== undefined && known.until > this.deps.clock.monotonic()) return this.#judge(known.key, appSecret)
    return this.#find(appKey).then((key) => this.#judge(key, appSecret))
  }

  #judge(key: PoolKeyRow | undefined, appSecret: string): PoolIdentity | null {
    if (key === undefined) {
      isSecretOf(nobody, appSecret) // an unknown key takes as long as a known one
      return null
    }
    if (!isSecretOf(key.secret_hash, appSecret) || key.revoked_at !== null) return null
    if (key.expires_at !== null && key.expires_at <= this.deps.clock.now()) return null
    return { poolId: key.pool_id, keyId: key.id, expiresAt: key.expires_at }
  }

  [Symbol.dispose](): void {
    this.#unsubscribe()
  }

  async #find(appKey: string): Promise<PoolKeyRow | undefined> {
    const now = this.deps.clock.monotonic()
    const key = await this.deps.store.read((reader) => findPoolKey(reader, appKey))
    if (key === undefined) return undefined
    this.#warn(key, this.deps.clock.now())
    this.#known.set(appKey, { key, until: now + rememberMs })
    return key
  }

  #warn(key: PoolKeyRow, now: number): void {
    if (key.expires_at === null || key.expires_at <= now || key.expires_at - now > expiryWarningMs) return
    if (this.#warned.has(key.id)) return
    this.#warned.add(key.id)
    this.deps.onExpiresSoon?.(key.id, key.expires_at)
  }

  #forget(keyId: string): void {
    for (const [appKey, { key }] of this.#known) if (key.id === keyId) this.#known.delete(appKey)
  }
}

const nobody = hashOf('')
