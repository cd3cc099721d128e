/** Which life of the store this is: every restore of a backup begins another one. Kept in `meta`; without a row it is 1. */
import type { Reader, Tx } from './store.js'

/** Attempts of one life are numbered apart from those of every other: an agent's old attempt never passes for a new one. */
const attemptsPerEpoch = 1_000
/** Room for the tasks that the lost life made after its backup: a number that somebody still holds never names another task. */
const taskNumbersSkipped = 100_000

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
  skipTaskNumbers(tx)
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

/** SQLite counts the numbers it gave to a table's rows in `sqlite_sequence`, where there is no row before the first. */
function skipTaskNumbers(tx: Tx): void {
  const table = 'workspace_tasks'
  const changed = tx.hot.run('UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?', taskNumbersSkipped, table)
  if (changed === 0) tx.hot.run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', table, taskNumbersSkipped)
}

function numberOf(reader: Reader, key: string): number | undefined {
  const row = reader.hot.one<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)
  return row === undefined ? undefined : Number(row.value)
}
