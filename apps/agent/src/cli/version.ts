/** `iac-agent version`. */
import { protocolVersion } from '@iac-agent/protocol'
import type { Command } from '@iac-agent/runtime'
import { programVersion } from './program-version.js'

export function addVersion(program: Command): void {
  const command = program.command('version').description('show the version of this program and of its protocol')
  command.option('--json', 'print JSON')
  command.addHelpText('after', '\nExamples:\n  iac-agent version\n  iac-agent version --json')
  command.action(({ json }: { json?: boolean }) => {
    const facts = { version: programVersion, protocol_version: protocolVersion, node: process.version }
    process.stdout.write(
      json
        ? `${JSON.stringify(facts)}\n`
        : `iac-agent ${facts.version} (protocol ${facts.protocol_version}, node ${facts.node})\n`,
    )
  })
}
