/** `iac-agent status`: what the running daemon does. */
import { parse } from '@iac-agent/protocol'
import { addSettingFlags, type Command } from '@iac-agent/runtime'
import { type Static, Type } from 'typebox'
import { readDataDir } from '../config/config.js'
import { readEnvironment } from '../config/env.js'
import { agentSettings } from '../config/settings.js'
import { askDaemon } from './ask-daemon.js'
import { describeAttempt, RunningAttempt } from './describe-attempt.js'

/** What is printed of the answer; `--json` prints all of it. */
const Status = Type.Object({
  agent_id: Type.String(),
  name: Type.String(),
  version: Type.String(),
  pid: Type.Integer(),
  phase: Type.String(),
  server_url: Type.String(),
  control: Type.Object({ phase: Type.String(), problem: Type.Optional(Type.String()) }),
  plan_running: Type.Integer(),
  plan_limit: Type.Integer(),
  apply_running: Type.Boolean(),
  attempts: Type.Array(RunningAttempt),
  degraded: Type.Union([Type.String(), Type.Null()]),
  alarms: Type.Array(
    Type.Object({ attempt: Type.String(), item: Type.String(), code: Type.String(), message: Type.String() }),
  ),
  kept: Type.Object({
    count: Type.Integer(),
    bytes: Type.Integer(),
    oldest_at: Type.Union([Type.String(), Type.Null()]),
    for_a_person: Type.Array(Type.Object({ attempt: Type.String(), why: Type.String(), path: Type.String() })),
  }),
  work_directories: Type.Array(Type.String()),
})
type Status = Static<typeof Status>

export function addStatus(program: Command): void {
  const command = program.command('status').description('show what the daemon on this machine does')
  addSettingFlags(command, agentSettings, ['dataDir'])
  command.option('--json', 'print JSON')
  command.addHelpText(
    'after',
    '\nExamples:\n  iac-agent status\n  iac-agent status --data-dir /var/lib/iac-agent --json',
  )
  command.action(async (flags: { json?: boolean }) => {
    const answer = await askDaemon(await readDataDir(flags, readEnvironment()), 'GET', '/status')
    process.stdout.write(flags.json ? `${JSON.stringify(answer, null, 2)}\n` : render(parse(Status, answer, 'status')))
  })
}

function render(status: Status): string {
  const { control } = status
  const lines = [
    `${status.name} (${status.agent_id}), version ${status.version}, pid ${status.pid}: ${status.phase}`,
    `server    ${status.server_url}: ${control.phase}${control.problem ? ` (${control.problem})` : ''}`,
    `running   ${status.plan_running} of ${status.plan_limit} plans, ${status.apply_running ? 'an apply' : 'no apply'}`,
    ...status.attempts.map(describeAttempt),
    ...(status.degraded === null ? [] : [`degraded  ${status.degraded}`]),
    ...status.alarms.map(
      ({ attempt, item, code, message }) => `ALARM     attempt ${attempt}: ${item} ${code}: ${message}`,
    ),
    ...describeKept(status.kept),
    ...(status.work_directories.length > 0 ? [`caches    ${status.work_directories.join(', ')}`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function describeKept({ count, bytes, oldest_at, for_a_person }: Status['kept']): string[] {
  if (count === 0) return []
  const since = oldest_at === null ? '' : `, the oldest of ${oldest_at}`
  return [
    `kept      ${count} ${count === 1 ? 'attempt' : 'attempts'}, ${(bytes / 1024 / 1024).toFixed(1)} MiB${since}`,
    ...for_a_person.map(({ attempt, why, path }) => `kept      attempt ${attempt}: ${reasons[why] ?? why}: ${path}`),
  ]
}

const reasons: Record<string, string> = {
  refused: 'the server refused a part of it',
  started_elsewhere: 'another process started it',
  unknown_to_server: 'unknown to the server since its restore',
  unreadable: 'its journal cannot be read',
}
