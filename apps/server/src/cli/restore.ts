/** `iac-server restore`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Clock, type Command, CommandError, ExitCode, systemClock } from '@iac-agent/runtime'
import { readDataDir } from '../config/config.js'
import { processEnv } from '../config/env.js'
import { afterRestore } from '../domain/after-restore.js'
import { crashPoint } from '../store/crash-points.js'
import { DataDirInUse, lockDataDir } from '../store/data-lock.js'
import { epochIn, replaceDatabase, stageBackup, stagingPrefix, sweepDataDir } from '../store/restore-database.js'
import { openSqliteStore } from '../store/sqlite.js'
import { StoreError } from '../store/store-error.js'
import { type AdminFlags, addAdminFlags, print } from './admin-store.js'

export function addRestoreCommand(program: Command): void {
  const command = program.command('restore <file>')
  command.description(
    'Puts a backup in the place of the store; the server must not run. The old store is kept beside it.',
  )
  addAdminFlags(command)
    .addHelpText('after', '\nExample:\n  $ iac-server restore /var/backups/iac-2026-01-31.sqlite')
    .action(async (file: string, flags: AdminFlags) => {
      const dataDir = await readDataDir(flags, processEnv)
      try {
        await using _lock = lockDataDir(dataDir)
        sweepDataDir(dataDir)
        print(flags, await restore(dataDir, resolve(file), systemClock))
      } catch (err) {
        if (!(err instanceof StoreError)) throw err
        const exitCode = err instanceof DataDirInUse ? ExitCode.dataDirInUse : ExitCode.usage
        throw new CommandError(err.message, exitCode, { cause: err })
      }
    })
}

/** The copy is made ready beside the store, so that whatever fails leaves the store as it is. */
async function restore(dataDir: string, file: string, clock: Clock): Promise<object> {
  const staging = await mkdtemp(stagingPrefix(dataDir))
  try {
    stageBackup(file, staging)
    crashPoint('restore.staged')
    const epoch = Math.max(epochIn(dataDir), epochIn(staging)) + 1
    const { unreachableApplies, unconfirmedPlans } = await prepare(staging, epoch, clock)
    crashPoint('restore.prepared')
    const replaced = replaceDatabase(dataDir, staging, clock.now())
    const found = { unreachable_applies: unreachableApplies, unconfirmed_plans: unconfirmedPlans }
    return { file, store_epoch: epoch, replaced: replaced ?? null, ...found }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** Brings the staged store to today's schema and marks what is in doubt. */
async function prepare(staging: string, epoch: number, clock: Clock) {
  await using store = await openSqliteStore({ dataDir: staging, now: () => clock.now() })
  return await afterRestore({ store, clock }, { epoch })
}
