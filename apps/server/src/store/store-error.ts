/** What can go wrong in the store, translated from the driver's codes at its edge. */

export type StoreErrorCode =
  /** Written by a newer server than this one. */
  | 'store_newer'
  /** No space left for the database. */
  | 'store_full'
  /** Another process holds the write lock for longer than the busy timeout. */
  | 'store_busy'
  /** Used after close, or outside the body the reader or tx was given to. */
  | 'store_closed'
  /** A blob that rows point at is not there. */
  | 'blob_missing'
  /** A backup could not be written, or the file to restore could not be read. */
  | 'copy_failed'
  /** A restore over a broken store was killed halfway: only another restore may touch it. */
  | 'restore_unfinished'
  | 'data_dir_in_use'
  | 'data_dir_unusable'
  /** Anything else the database refused to do: I/O errors, corruption. */
  | 'store_failed'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

const codes: Record<string, StoreErrorCode> = { SQLITE_FULL: 'store_full', SQLITE_BUSY: 'store_busy' }
const failures = [
  'SQLITE_FULL',
  'SQLITE_BUSY',
  'SQLITE_IOERR',
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_READONLY',
  'SQLITE_CANTOPEN',
]

/** Makes a StoreError of a failure of the database itself; a constraint or a mistake in a statement stays what it is. */
export function translateStoreError(err: unknown): unknown {
  const sqlite = sqliteCode(err)
  if (sqlite === undefined) return err
  const failure = failures.find((code) => sqlite.startsWith(code))
  if (failure === undefined) return err
  return new StoreError(codes[failure] ?? 'store_failed', `the database failed: ${(err as Error).message}`, {
    cause: err,
  })
}

/** True when `err` is a broken UNIQUE or PRIMARY KEY rule: the name, number or key is taken. */
export function isUniqueViolation(err: unknown): boolean {
  const code = sqliteCode(err)
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
}

function sqliteCode(err: unknown): string | undefined {
  if (!(err instanceof Error) || !('code' in err) || typeof err.code !== 'string') return undefined
  return err.code.startsWith('SQLITE_') ? err.code : undefined
}
