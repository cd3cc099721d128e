/** `iac-server key create`. */
import { ApiError } from '@iac-agent/protocol'
import { type Command, CommandError, ExitCode, integer, systemClock } from '@iac-agent/runtime'
import { createPoolKey } from '../domain/auth/pool-keys.js'
import { findPool, findPoolByName } from '../store/access-rows.js'
import type { Store } from '../store/store.js'
import { type AdminFlags, addAdminFlags, print, withStore } from './admin-store.js'

interface KeyFlags extends AdminFlags {
  pool: string
  expiresInDays?: string
}

export function addKeyCommand(program: Command): void {
  const key = program.command('key').description('Key pairs of pools.')
  const create = key.command('create').description('Creates a key pair; its secret is shown this once.')
  create.requiredOption('--pool <name>', 'name or id of the pool').option('--expires-in-days <n>', 'default: never')
  addAdminFlags(create)
    .addHelpText('after', '\nExample:\n  $ iac-server key create --pool default --json')
    .action(async (flags: KeyFlags) => {
      const expiresInDays = daysOf(flags.expiresInDays)
      const made = await withStore(flags, async (store) => {
        const poolId = await poolIdOf(store, flags.pool)
        return createPoolKey({ store, clock: systemClock }, { poolId, expiresInDays })
      })
      print(flags, made)
    })
}

function poolIdOf(store: Store, nameOrId: string): Promise<string> {
  return store.read(async (reader) => {
    const pool = (await findPoolByName(reader, nameOrId)) ?? (await findPool(reader, nameOrId))
    if (pool === undefined) throw new ApiError('not_found', `pool ${nameOrId} does not exist`)
    return pool.id
  })
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  try {
    return integer({ min: 1, max: 3650 })(text)
  } catch (err) {
    throw new CommandError(`--expires-in-days: ${(err as Error).message}`, ExitCode.usage, { cause: err })
  }
}
