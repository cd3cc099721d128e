/** `iac-agent doctor`: names what keeps an agent from working, one line a question. */
import { addSettingFlags, type Command, CommandError, ExitCode } from '@iac-agent/runtime'
import { readConfig } from '../config/config.js'
import { readEnvironment } from '../config/env.js'
import { agentSettings } from '../config/settings.js'
import type { CheckResult } from './doctor/check.js'

export function addDoctor(program: Command): void {
  const command = program.command('doctor').description('check everything an agent with these settings needs')
  addSettingFlags(command, agentSettings)
  command.option('--json', 'print JSON')
  command.addHelpText(
    'after',
    `
Checks dns, tcp, proxy, tls, credentials, upgrade, clock, disk, terraform. Exit code 0 when none failed, else 1.

Examples:
  iac-agent doctor --server-url https://iac.example.com
  iac-agent doctor --config /etc/iac-agent/agent.yaml --json`,
  )
  command.action(async (flags: { json?: boolean }) => {
    const { examine } = await import('./doctor/examine.js')
    const results = await examine(await readConfig(flags, readEnvironment()))
    const failures = results.filter(({ result }) => result === 'failed')
    process.stdout.write(
      flags.json ? `${JSON.stringify({ ok: failures.length === 0, checks: results }, null, 2)}\n` : render(results),
    )
    if (failures.length > 0)
      throw new CommandError(`failed: ${failures.map(({ name }) => name).join(', ')}`, ExitCode.fault)
  })
}

function render(results: CheckResult[]): string {
  return results.map(({ name, result, detail }) => `${result.padEnd(8)}${name.padEnd(12)}${detail}\n`).join('')
}
