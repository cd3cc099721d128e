/** The store as the rest of the server sees it: reads, transactions, and news of what was committed. */
import type { Phase } from '@iac-agent/protocol'
import type { Kysely } from 'kysely'
import type { TransactionName } from './crash-points.js'
import type { HotReads, HotStatements } from './hot-statements.js'
import type { Schema } from './schema.js'

/** What a transaction touched; a hint to look again, never the fact itself. */
export type Change =
  | { kind: 'task'; taskId: number }
  | { kind: 'log'; taskId: number; attempt: number; phase: Phase }
  | { kind: 'resources'; taskId: number }
  | { kind: 'state'; workspaceId: string }
  | { kind: 'workspace'; workspaceId: string }
  | { kind: 'agent'; agentId: string }
  /** a pool's key was revoked: its sockets are to be closed */
  | { kind: 'key'; keyId: string }
  /** an operator's token was deleted: its streams are to end */
  | { kind: 'token'; tokenId: string }

export interface Changes {
  /** Tells `listener` once per COMMIT what it changed, doubles removed. Answers the way to unsubscribe. */
  subscribe(listener: (changes: readonly Change[]) => void): () => void
}

/** One consistent snapshot; valid only inside the body it was given to. */
export interface Reader {
  readonly db: Kysely<Schema>
  /** Prepared statements of the paths that run per chunk or per heartbeat. */
  readonly hot: HotReads
}

/** One body of a transaction; valid only inside it. */
export interface Tx extends Reader {
  readonly hot: HotStatements
  /** Names something to tell subscribers about, after COMMIT and only then. */
  changed(change: Change): void
}

export interface Store extends AsyncDisposable {
  /** Runs `body` on the read-only handle. It awaits nothing but its reader. */
  read<T>(body: (reader: Reader) => Promise<T>): Promise<T>
  /**
   * Runs `body` in the write queue; answers after COMMIT. A throw rolls back this body alone.
   * A body awaits nothing but its tx, has no side effects, and may run twice. A test can kill the process around a `name`'s COMMIT.
   * @param patienceMs so long it may wait for others to share a COMMIT with; default: none
   */
  transaction<T>(name: TransactionName, body: (tx: Tx) => Promise<T>, patienceMs?: number): Promise<T>
  readonly changes: Changes
}
