/** What the admin subcommands share: the store beside a running server, and an answer on stdout. */

import { ApiError } from '@iac-agent/protocol'
import { addSettingFlags, type Command, CommandError, ExitCode } from '@iac-agent/runtime'
import { readDataDir } from '../config/config.js'
import { processEnv } from '../config/env.js'
import { serverSettings } from '../config/server-settings.js'
import { openSqliteStore } from '../store/sqlite.js'
import type { Store } from '../store/store.js'
import { StoreError } from '../store/store-error.js'

export interface AdminFlags extends Record<string, unknown> {
  json?: boolean
}

/** `--data-dir`, `--config` and `--json`. */
export function addAdminFlags(command: Command): Command {
  return addSettingFlags(command, serverSettings, ['dataDir']).option('--json', 'answer as JSON')
}

/** Opens the store, acts, closes it; a refusal becomes one sentence. */
export async function withStore<T>(flags: AdminFlags, act: (store: Store) => Promise<T>): Promise<T> {
  const dataDir = await readDataDir(flags, processEnv)
  try {
    await using store = await openSqliteStore({ dataDir })
    return await act(store)
  } catch (err) {
    if (err instanceof ApiError) throw new CommandError(err.message, ExitCode.usage, { cause: err })
    if (err instanceof StoreError) throw new CommandError(`--data-dir: ${err.message}`, ExitCode.usage, { cause: err })
    throw err
  }
}

/** Writes `answer` as JSON, or its fields line by line. */
export function print(flags: AdminFlags, answer: object): void {
  const lines = Object.entries(answer).map(([name, value]) => `${name}: ${value ?? '-'}`)
  process.stdout.write(`${flags.json === true ? JSON.stringify(answer) : lines.join('\n')}\n`)
}
