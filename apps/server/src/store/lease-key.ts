/** The secret every lease is derived from. It is in the store, so it is in its backups: a restored store can tell leases it gave and forgot. */
import { randomBytes } from 'node:crypto'
import type { Reader, Tx } from './store.js'

/** Undefined only in a store that never offered anything. */
export function findLeaseKey(reader: Reader): string | undefined {
  return reader.hot.one<{ value: string }>("SELECT value FROM meta WHERE key = 'lease_key'")?.value
}

/** The key, made when there is none yet. */
export function keepLeaseKey(tx: Tx): string {
  tx.hot.run(
    "INSERT INTO meta (key, value) VALUES ('lease_key', ?) ON CONFLICT (key) DO NOTHING",
    randomBytes(32).toString('base64url'),
  )
  return findLeaseKey(tx) as string
}
