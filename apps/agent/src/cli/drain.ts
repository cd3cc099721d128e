/** `iac-agent drain`: lets the running daemon finish and end. */
import { parse } from '@iac-agent/protocol'
import { addSettingFlags, type Command, pause } from '@iac-agent/runtime'
import { Type } from 'typebox'
import { readDataDir } from '../config/config.js'
import { readEnvironment } from '../config/env.js'
import { agentSettings } from '../config/settings.js'
import { lockHolder } from '../journal/data-lock.js'
import { dataLayout } from '../journal/layout.js'
import { askDaemon } from './ask-daemon.js'
import { describeAttempt, RunningAttempt } from './describe-attempt.js'

const Draining = Type.Object({ waiting_for: Type.Array(RunningAttempt) })

const lookEveryMs = 200

export function addDrain(program: Command): void {
  const command = program.command('drain').description('let the daemon take no new work, finish, deliver and end')
  addSettingFlags(command, agentSettings, ['dataDir'])
  command.option('--wait', 'until the daemon has ended', true)
  command.option('--no-wait', 'return at once')
  command.option('--json', 'print JSON')
  command.addHelpText('after', '\nExamples:\n  iac-agent drain --wait\n  iac-agent drain --no-wait --json')
  command.action(async (flags: { json?: boolean; wait: boolean }) => {
    const dataDir = await readDataDir(flags, readEnvironment())
    const answer = parse(Draining, await askDaemon(dataDir, 'POST', '/drain'), 'drain')
    process.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : render(answer.waiting_for))
    if (flags.wait) await ended(dataDir)
  })
}

function render(waitingFor: RunningAttempt[]): string {
  if (waitingFor.length === 0) return 'nothing runs, ending\n'
  return `waiting for:\n${waitingFor.map((one) => `  ${describeAttempt(one)}\n`).join('')}`
}

/** The data directory has no daemon any more. */
async function ended(dataDir: string): Promise<void> {
  while ((await lockHolder(dataLayout(dataDir))) !== undefined) await pause(lookEveryMs)
}
