/** `iac-agent start`: the daemon in the foreground. */
import {
  addSettingFlags,
  type Command,
  CommandError,
  createLogger,
  ExitCode,
  unknownVariables,
} from '@iac-agent/runtime'
import { readConfig } from '../config/config.js'
import { readEnvironment } from '../config/env.js'
import { agentSettings } from '../config/settings.js'
import { programVersion } from './program-version.js'

export function addStart(program: Command): void {
  const command = program.command('start').description('connect to the server and run its tasks until told to stop')
  addSettingFlags(command, agentSettings)
  command.option('--once', 'run one plan or apply (or what was left here) to its end, then exit: 0 done, 4 no work')
  command.addHelpText(
    'after',
    `
Examples:
  IAC_AGENT_APP_KEY_FILE=/etc/iac-agent/key IAC_AGENT_APP_SECRET_FILE=/etc/iac-agent/secret \\
    iac-agent start --server-url https://iac.example.com --labels zone=eu,gpu=no
  iac-agent start --config /etc/iac-agent/agent.yaml --pass-env 'AWS_*,VAULT_ADDR'
  iac-agent start --server-url http://127.0.0.1:8080 --on-term cancel --term-grace 25s
  iac-agent start --config agent.yaml --once

Stopping: the first SIGTERM or SIGINT drains (no new work, finish, deliver, exit 0). A second one detaches: the agent leaves
at once, terraform goes on, and the next start takes it up again (an upgrade in mid-run).
Exit codes: 0 done, 1 fault, 2 wrong usage or setting, 3 refused by the server, 4 no work (--once),
5 data directory in use, 6 left with runs going on.`,
  )
  command.action(start)
}

async function start(flags: Record<string, unknown>): Promise<void> {
  if (process.platform !== 'linux') {
    throw new CommandError(`iac-agent runs on Linux only; this is ${process.platform}`, ExitCode.usage)
  }
  const environment = readEnvironment()
  const config = await readConfig(flags, environment)
  const log = await createLogger({ level: config.logLevel, format: config.logFormat })
  for (const name of unknownVariables(agentSettings, environment)) log.warn({ name }, 'unknown variable, misspelt?')
  const { runDaemon } = await import('../daemon/daemon.js')
  const code = await runDaemon({ config, log, version: programVersion, isOnce: flags.once === true })
  log.info({ exit_code: code }, 'ended')
  if (code !== ExitCode.done) throw new CommandError(endings[code] ?? 'ended', code)
}

const endings: Partial<Record<ExitCode, string>> = {
  [ExitCode.refused]: 'ended because the server refuses this agent; the log says why',
  [ExitCode.noWork]: 'no work: the server offered no task',
  [ExitCode.detached]: 'left while runs go on; the next start takes them up again',
}
