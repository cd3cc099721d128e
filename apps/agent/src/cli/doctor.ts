/** `iac-agent doctor`: names what keeps an agent from working, one line a question. */
import { addSettingFlags, type Command, CommandError, createLogger, ExitCode } from '@iac-agent/runtime'
import { type AgentConfig, readConfig } from '../config/config.js'
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
    const results = await examine(await readConfig(flags, readEnvironment()))
    const failures = results.filter(({ result }) => result === 'failed')
    process.stdout.write(
      flags.json ? `${JSON.stringify({ ok: failures.length === 0, checks: results }, null, 2)}\n` : render(results),
    )
    if (failures.length > 0)
      throw new CommandError(`failed: ${failures.map(({ name }) => name).join(', ')}`, ExitCode.fault)
  })
}

async function examine(config: AgentConfig): Promise<CheckResult[]> {
  const [{ createNetwork }, { checkWay }, server, machine, { Versions }, { credentialSource }] = await Promise.all([
    import('../server-api/network.js'),
    import('./doctor/way-to-server.js'),
    import('./doctor/server-answers.js'),
    import('./doctor/this-machine.js'),
    import('../terraform/versions.js'),
    import('../daemon/credential-source.js'),
  ])
  await using network = createNetwork(config.network)
  const { serverUrl } = config
  const log = await createLogger({ level: config.logLevel, format: config.logFormat })
  const probe = { serverUrl, network, credentials: credentialSource(config.appKey, config.appSecret, log) }
  const way = await checkWay(serverUrl, network)
  const broken = way.find(({ result }) => result === 'failed')
  const answers = broken
    ? (['credentials', 'upgrade', 'clock'] as const).map(
        (name): CheckResult => ({ name, result: 'skipped', detail: `${broken.name} failed` }),
      )
    : [await server.checkCredentials(probe), await server.checkUpgrade(probe), await server.checkClock(probe)]
  const versions = new Versions({
    searchPath: config.environment.PATH ?? '',
    cacheDir: config.dataDir,
    mayDownload: false,
    ...(config.terraformPath === undefined ? {} : { terraformPath: config.terraformPath }),
  })
  return [
    ...way,
    ...answers,
    await machine.checkDisk([config.dataDir, config.workRoot]),
    await machine.checkTerraform(versions),
  ]
}

function render(results: CheckResult[]): string {
  return results.map(({ name, result, detail }) => `${result.padEnd(8)}${name.padEnd(12)}${detail}\n`).join('')
}
