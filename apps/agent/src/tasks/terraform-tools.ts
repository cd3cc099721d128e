/** What every terraform command of every attempt needs from this agent: environment, state backend, patience. */
import { randomUUID } from 'node:crypto'
import { pause } from '@iac-agent/runtime'
import type { Command } from '../journal/attempt-facts.js'
import { first, last, pendingRun } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import { runDirectory } from '../journal/layout.js'
import { isAlive } from '../journal/process-identity.js'
import { openStateBackend, PortInUse, type StateBackend, type StateBackendOptions } from '../state/state-backend.js'
import type { StoredState } from '../state/stored-state.js'
import { ownVariables, terraformEnvironment } from '../terraform/environment.js'
import { readRun } from '../terraform/run-facts.js'
import type { Versions } from '../terraform/versions.js'
import type { Attempt } from './attempt.js'
import { type CommandLine, type Reading, runCommand } from './run-command.js'
import type { RunLimits } from './run-limits.js'
import type { Supervisors } from './supervisors.js'

export interface TerraformTools {
  /** The agent's own environment; an allow-list of it reaches terraform. */
  hostEnvironment: Readonly<Record<string, string | undefined>>
  /** Names and globs that operators let pass besides. */
  passEnv: readonly string[]
  cliConfigFile: string | undefined
  versions: Versions
  supervisors: Supervisors
  /** Directory of the backend notes of earlier inits, of all workspaces. */
  initCache: string
  /** Patience of the cancel ladder between its rungs. */
  cancelGraceMs: number
  limits: RunLimits
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
    supervisors: tools.supervisors,
    cancelGraceMs: tools.cancelGraceMs,
    limits: tools.limits,
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

/** The attempt's loopback state backend, opened once. */
export async function ensureBackend(attempt: Attempt): Promise<StateBackend> {
  attempt.backend ??= await openBackend(attempt)
  return attempt.backend
}

/** A terraform that is under way goes on calling the port of a former process: it is taken again, once whoever has it leaves it. */
async function openBackend(attempt: Attempt): Promise<StateBackend> {
  const { journal, log, leaving } = attempt.parts
  const known = last(journal.facts, 'backendOpened')
  const credentials = known ?? { username: randomUUID(), password: attempt.backendPassword }
  const open = (port?: number) => openStateBackend(backendOptions(attempt, credentials, port))
  const pending = pendingRun(journal.facts)
  if (known === undefined || pending === undefined) {
    const backend = await open()
    crashPoint('backend.opened')
    const { username, password } = credentials
    await journal.append({ fact: 'backendOpened', port: backend.port, username, password })
    crashPoint('backend.recorded')
    return backend
  }
  for (;;) {
    try {
      return await open(known.port)
    } catch (error) {
      if (!(error instanceof PortInUse)) throw error
      log.warn({ err: error }, 'terraform waits for its state backend')
    }
    await pause(portRetryMs, attempt.stopping)
    leaving.throwIfAborted()
    // One that is to be stopped, or has ended, needs no state.
    if (attempt.stopping.aborted || !(await mayRun(attempt, pending.run))) return await open()
  }
}

/** Its supervisor has not told its end, and it or its supervisor lives. */
async function mayRun(attempt: Attempt, run: string): Promise<boolean> {
  const { claim, pid, exitCode } = await readRun(runDirectory(attempt.parts.layout, run))
  if (exitCode !== undefined) return false
  return (claim !== undefined && (await isAlive(claim))) || (pid !== undefined && (await isAlive(pid)))
}

/** Between two tries to have the port of a former process. */
const portRetryMs = 1_000

function backendOptions(
  attempt: Attempt,
  { username, password }: { username: string; password: string },
  port: number | undefined,
): StateBackendOptions {
  const { journal, layout, ballast, log } = attempt.parts
  const fetched = first(journal.facts, 'fetched')
  if (!fetched) throw new Error('the attempt is not fetched')
  return {
    statesDir: layout.states,
    lineage: fetched.lineage,
    ...(fetched.hasState ? { base: layout.baseState } : {}),
    ...(fetched.baseSerial === undefined ? {} : { baseSerial: fetched.baseSerial }),
    ...(port === undefined ? {} : { port }),
    credentials: { username, password },
    onState: (state) => recordState(attempt, state),
    ballast,
    log,
  }
}

/** A state is durable before this, and terraform waits: the fact makes delivery take it up. A plan's state never leaves. */
async function recordState(attempt: Attempt, state: StoredState): Promise<void> {
  crashPoint('state.stored')
  if (attempt.offered.action === 'apply') await attempt.recordState(state, 'posted')
}
