/** Operators' tokens: a name, a role, and a value shown once. */

import { ApiError, type NewOperatorToken, type OperatorToken, type Role } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { deleteTokenRow, hasTokens, insertToken, listTokenRows, type TokenRow } from '../../store/access-rows.js'
import type { Store } from '../../store/store.js'
import { isUniqueViolation } from '../../store/store-error.js'
import { type ListPage, type ListQuery, listPage, pageRequest } from '../list-page.js'
import { newId } from '../new-id.js'
import { rfc3339 } from '../rfc3339.js'
import { hashOf, newSecret } from './credentials.js'

/** The name of the token that is configured or made at the first start; `confirmed_by` shows it, so nobody else may have it. */
export const firstTokenName = 'operator'

interface Deps {
  store: Store
  clock: Clock
}

/** @throws ApiError `conflict` for a name taken */
export async function createToken(deps: Deps, input: { name: string; role: Role }): Promise<NewOperatorToken> {
  if (input.name === firstTokenName) throw nameTaken(input.name)
  const { row, token } = newToken(input.name, input.role, deps.clock.now())
  try {
    await deps.store.transaction('create_token', (tx) => insertToken(tx, row))
  } catch (err) {
    throw isUniqueViolation(err) ? nameTaken(input.name) : err
  }
  return { id: row.id, name: input.name, role: input.role, token }
}

/**
 * Makes the admin's token of a new installation; answers false when there is any token already.
 * @param keep writes it down; called before the token is good, since afterwards nobody can tell it any more
 */
export async function createFirstToken(deps: Deps, keep: (token: string) => Promise<void>): Promise<boolean> {
  if (await deps.store.read(hasTokens)) return false
  const { row, token } = newToken(firstTokenName, 'admin', deps.clock.now())
  await keep(token)
  await deps.store.transaction('create_first_token', (tx) => insertToken(tx, row))
  return true
}

export function listTokens(deps: Deps, query: ListQuery): Promise<ListPage<OperatorToken>> {
  return deps.store.read(async (reader) => listPage(await listTokenRows(reader, pageRequest(query)), tokenView))
}

/** From the answer on the token is refused, and its streams end. */
export function deleteToken(deps: Deps, id: string): Promise<void> {
  return deps.store.transaction('delete_token', async (tx) => {
    if ((await deleteTokenRow(tx, id)) === 0) throw new ApiError('not_found', `token ${id} does not exist`)
    tx.changed({ kind: 'token', tokenId: id })
  })
}

function newToken(name: string, role: Role, now: number): { row: TokenRow; token: string } {
  const token = newSecret('iop')
  const row: TokenRow = {
    id: newId('tok', now),
    name,
    role,
    token_hash: hashOf(token),
    created_at: now,
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
  }
  return { row, token }
}

function nameTaken(name: string): ApiError {
  return new ApiError('conflict', `a token named ${name} exists`)
}

function tokenView(row: TokenRow): OperatorToken {
  // only our own code writes the column
  return { id: row.id, name: row.name, role: row.role as Role, created_at: rfc3339(row.created_at) }
}
