/** `iac-server backup`. */
import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, CommandError, ExitCode } from '@iac-agent/runtime'
import { readDataDir } from '../config/config.js'
import { processEnv } from '../config/env.js'
import { copyDatabase } from '../store/database-copy.js'
import { StoreError } from '../store/store-error.js'
import { type AdminFlags, addAdminFlags, print } from './admin-store.js'

export function addBackupCommand(program: Command): void {
  const command = program.command('backup <file>')
  command.description('Writes a consistent copy of the store into a new file (0600), also beside a running server.')
  addAdminFlags(command)
    .addHelpText('after', '\nExample:\n  $ iac-server backup /var/backups/iac-2026-01-31.sqlite')
    .action(async (file: string, flags: AdminFlags) => {
      const to = resolve(file)
      const dataDir = await readDataDir(flags, processEnv)
      try {
        copyDatabase(join(dataDir, 'store.sqlite'), to)
      } catch (err) {
        if (!(err instanceof StoreError)) throw err
        throw new CommandError(err.message, ExitCode.usage, { cause: err })
      }
      print(flags, { file: to, size_bytes: statSync(to).size })
    })
}
