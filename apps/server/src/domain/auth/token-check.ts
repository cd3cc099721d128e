/** Whether an operator's token is good, and what it allows. */
import type { Role } from '@iac-agent/protocol'
import { findToken } from '../../store/access-rows.js'
import type { Store } from '../../store/store.js'
import { hashOf, isSecretOf } from './credentials.js'
import { firstTokenName } from './tokens.js'

/** Who holds a token; the name is what `confirmed_by`, lock owners and the like say. */
export interface OperatorIdentity {
  readonly tokenId: string
  readonly name: string
  readonly role: Role
}

export class TokenCheck {
  readonly #configured: string | undefined

  /** @param configured an admin's token given in the settings; it is never stored */
  constructor(
    private readonly store: Store,
    configured: string | undefined,
  ) {
    this.#configured = configured === undefined ? undefined : hashOf(configured)
  }

  async check(token: string): Promise<OperatorIdentity | null> {
    if (this.#configured !== undefined && isSecretOf(this.#configured, token))
      return { tokenId: 'configured', name: firstTokenName, role: 'admin' }
    const row = await this.store.read((reader) => findToken(reader, hashOf(token)))
    if (row === undefined || !isSecretOf(row.token_hash, token) || row.revoked_at !== null) return null
    return { tokenId: row.id, name: row.name, role: row.role as Role }
  }
}

const ranks: Record<Role, number> = { read_only: 0, operator: 1, admin: 2 }

/** Whether `role` may do what needs `needed`. */
export function mayAct(role: Role, needed: Role): boolean {
  return ranks[role] >= ranks[needed]
}
