/** `iac-server pool create`. */
import { type Command, systemClock } from '@iac-agent/runtime'
import { createPool } from '../domain/auth/pools.js'
import { type AdminFlags, addAdminFlags, print, withStore } from './admin-store.js'
import { parseName } from './names.js'

export function addPoolCommand(program: Command): void {
  const pool = program.command('pool').description('Pools of agents.')
  const create = pool.command('create').description('Creates a pool.').argument('<name>', 'unique name')
  addAdminFlags(create)
    .addHelpText('after', '\nExample:\n  $ iac-server pool create default')
    .action(async (name: string, flags: AdminFlags) => {
      const wanted = parseName(name)
      print(flags, await withStore(flags, (store) => createPool({ store, clock: systemClock }, { name: wanted })))
    })
}
