/** What every terraform command of every attempt needs from this agent: environment, state backend, patience. */
import { randomUUID } from 'node:crypto'
import type { Command } from '../journal/attempt-facts.js'
import { first } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import { openStateBackend, type StateBackend } from '../state/state-backend.js'
import type { StoredState } from '../state/stored-state.js'
import { ownVariables, terraformEnvironment } from '../terraform/environment.js'
import type { Versions } from '../terraform/versions.js'
import type { Attempt } from './attempt.js'
import { type CommandLine, type Reading, runCommand } from './run-command.js'
import type { RunLimits } from './run-limits.js'

export interface TerraformTools {
  /** The agent's own environment; an allow-list of it reaches terraform. */
  hostEnvironment: Readonly<Record<string, string | undefined>>
  /** Names and globs that operators let pass besides. */
  passEnv: readonly string[]
  cliConfigFile: string | undefined
  versions: Versions
  /** Path of supervise.sh. */
  supervisorScript: string
  /** Directory of the backend notes of earlier inits, of all workspaces. */
  initCache: string
  /** Patience of the cancel ladder between its rungs. */
  cancelGraceMs: number
  limits: RunLimits
  /** Where each run gets a cgroup of its own; undefined where this agent may make none. */
  cgroup: string | undefined
}

/** Where terraform runs and which; known once the attempt is prepared. */
export interface Place {
  program: string
  version: string
  rootDir: string
  isBuiltinOnly: boolean
}

export function placeOf(attempt: Attempt): Place {
  const engine = first(attempt.facts, 'engineFound')
  const prepared = first(attempt.facts, 'prepared')
  if (!engine || !prepared) throw new Error('the attempt is not prepared')
  return {
    program: engine.program,
    version: engine.version,
    rootDir: prepared.rootDirectory,
    isBuiltinOnly: prepared.isBuiltinOnly,
  }
}

/** Runs a command of terraform in the attempt's root module. `argv`: program first. */
export async function runTerraform(
  attempt: Attempt,
  tools: TerraformTools,
  command: Command,
  argv: readonly string[],
  read: (code: number, outputOffset: number) => Promise<Reading>,
): Promise<void> {
  const line: CommandLine = {
    command,
    argv,
    cwd: placeOf(attempt).rootDir,
    env: await environmentOf(attempt, tools),
    script: tools.supervisorScript,
    cancelGraceMs: tools.cancelGraceMs,
    limits: tools.limits,
    cgroup: tools.cgroup,
  }
  await runCommand(attempt, line, read)
}

async function environmentOf(attempt: Attempt, tools: TerraformTools): Promise<Record<string, string>> {
  const data = await attempt.data()
  const variables = data.variables.filter(({ category }) => category === 'environment')
  const backend = await ensureBackend(attempt)
  return terraformEnvironment({
    host: tools.hostEnvironment,
    passEnv: tools.passEnv,
    system: data.workspace.system_variables,
    workspace: Object.fromEntries(variables.map(({ key, value }) => [key, value])),
    own: ownVariables({
      backend: backend.env,
      ...(tools.cliConfigFile === undefined ? {} : { cliConfigFile: tools.cliConfigFile }),
    }),
  })
}

/** The attempt's loopback state backend, opened once; after a restart on the same port with the same credentials. */
async function ensureBackend(attempt: Attempt): Promise<StateBackend> {
  if (attempt.backend) return attempt.backend
  const { journal, layout, ballast, log } = attempt.parts
  const fetched = first(journal.facts, 'fetched')
  if (!fetched) throw new Error('the attempt is not fetched')
  const known = first(journal.facts, 'backendOpened')
  const credentials = known ?? { username: randomUUID(), password: attempt.backendPassword }
  attempt.backend = await openStateBackend({
    statesDir: layout.states,
    lineage: fetched.lineage,
    ...(fetched.hasState ? { base: layout.baseState } : {}),
    ...(fetched.baseSerial === undefined ? {} : { baseSerial: fetched.baseSerial }),
    ...(known ? { port: known.port } : {}),
    credentials: { username: credentials.username, password: credentials.password },
    onState: (state) => recordState(attempt, state),
    ballast,
    log,
  })
  if (!known) {
    crashPoint('backend.opened')
    const { port } = attempt.backend
    await journal.append({
      fact: 'backendOpened',
      port,
      username: credentials.username,
      password: credentials.password,
    })
    crashPoint('backend.recorded')
  }
  return attempt.backend
}

/** A state is durable before this, and terraform waits: the fact makes delivery take it up. A plan's state never leaves. */
async function recordState(attempt: Attempt, state: StoredState): Promise<void> {
  crashPoint('state.stored')
  if (attempt.offered.action === 'apply') await attempt.recordState(state, 'posted')
}
