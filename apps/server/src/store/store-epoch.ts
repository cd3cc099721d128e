/** Which life of the store this is: every restore of a backup begins another one. Kept in `meta`; without a row it is 1. */
import type { Reader, Tx } from './store.js'

/** Attempts of one life are numbered apart from those of every other: an agent's old attempt never passes for a new one. */
const attemptsPerEpoch = 1_000

export async function storeEpoch(reader: Reader): Promise<number> {
  return numberOf(reader, 'store_epoch') ?? 1
}

/** The newest task that a restored backup held: whatever has a higher number was made since. 0 when there was no restore. */
export async function lastRestoredTask(reader: Reader): Promise<number> {
  return numberOf(reader, 'last_restored_task') ?? 0
}

/** The number of the attempt after `last`. */
export async function nextAttemptNumber(reader: Reader, last: number): Promise<number> {
  return Math.max(last, ((await storeEpoch(reader)) - 1) * attemptsPerEpoch) + 1
}

export async function beginStoreEpoch(tx: Tx, epoch: number): Promise<void> {
  const newest = tx.hot.one<{ id: number | null }>('SELECT max(id) AS id FROM workspace_tasks')
  for (const [key, value] of [
    ['store_epoch', epoch],
    ['last_restored_task', newest?.id ?? 0],
  ] as const) {
    tx.hot.run(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      key,
      String(value),
    )
  }
}

function numberOf(reader: Reader, key: string): number | undefined {
  const row = reader.hot.one<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)
  return row === undefined ? undefined : Number(row.value)
}
