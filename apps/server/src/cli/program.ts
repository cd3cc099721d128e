/** The commands of iac-server. */
import { type Command, createProgram } from '@iac-agent/runtime'
import { addBackupCommand } from './backup.js'
import { addKeyCommand } from './key.js'
import { addPoolCommand } from './pool.js'
import { addRestoreCommand } from './restore.js'
import { serverVersion } from './server-version.js'
import { addStartCommand } from './start.js'
import { addTokenCommand } from './token.js'

const examples = `
Examples:
  $ iac-server start
  $ iac-server start --listen 0.0.0.0:8443 --tls-cert-file cert.pem --tls-key-file key.pem
  $ iac-server pool create default
  $ iac-server key create --pool default --json
  $ iac-server token create ci --role operator
  $ iac-server backup /var/backups/iac.sqlite`

export function serverProgram(): Command {
  const program = createProgram({
    name: 'iac-server',
    description: 'Queues Terraform and OpenTofu tasks for agents and keeps what they produce.',
    version: serverVersion,
  })
  addStartCommand(program)
  addPoolCommand(program)
  addKeyCommand(program)
  addTokenCommand(program)
  addBackupCommand(program)
  addRestoreCommand(program)
  return program.addHelpText('after', examples)
}
