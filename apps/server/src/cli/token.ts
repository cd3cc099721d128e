/** `iac-server token create`. */
import type { Role } from '@iac-agent/protocol'
import { type Command, CommandError, choice, ExitCode, systemClock } from '@iac-agent/runtime'
import { createToken } from '../domain/auth/tokens.js'
import { type AdminFlags, addAdminFlags, print, withStore } from './admin-store.js'
import { parseName } from './names.js'

interface TokenFlags extends AdminFlags {
  role: string
}

export function addTokenCommand(program: Command): void {
  const token = program.command('token').description("Operators' tokens.")
  const create = token.command('create').description('Creates an operator token; it is shown this once.')
  create.argument('<name>', 'unique name; confirmations and locks show it')
  create.option('--role <role>', 'admin, operator or read_only', 'operator')
  addAdminFlags(create)
    .addHelpText('after', '\nExample:\n  $ iac-server token create ci --role operator')
    .action(async (name: string, flags: TokenFlags) => {
      const wanted = { name: parseName(name), role: roleOf(flags.role) }
      print(flags, await withStore(flags, (store) => createToken({ store, clock: systemClock }, wanted)))
    })
}

function roleOf(text: string): Role {
  try {
    return choice(['admin', 'operator', 'read_only'])(text)
  } catch (err) {
    throw new CommandError(`--role: ${(err as Error).message}`, ExitCode.usage, { cause: err })
  }
}
