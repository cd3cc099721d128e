/** The built agent, connected to a server, with a data directory of its own. */
import { chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../repository-root.js'
import { keptDirectory, temporaryDirectory } from '../temporary-directory.js'
import { type BuiltChild, type Exit, expectCleanExit, startChild } from './built-child.js'
import { profileFlags } from './profile-flags.js'
import { endStrays } from './strays.js'

/** What an agent needs, and what a test may want otherwise. */
export interface AgentOptions {
  server: { url: string }
  key: { app_key: string; app_secret: string }
  name?: string
  /** More flags for `iac-agent start`. */
  args?: readonly string[]
  /** Beside PATH, HOME and the key. */
  env?: Record<string, string>
  /** The program before `start`; the built bin unless given. */
  command?: readonly string[]
  user?: { uid: number; gid: number }
  /** Holds data and log: a temporary directory unless given; a given one exists and is kept. */
  home?: string
}

/**
 * An agent whose control connection is up. Dispose ends it by SIGTERM (it drains), checks that it exits 0 and that no process of it is
 * left, and removes its data.
 */
export interface RunningAgent extends AsyncDisposable {
  readonly agentId: string
  readonly dataDir: string
  readonly child: BuiltChild
  stop(signal?: NodeJS.Signals): Promise<Exit>
  /** Again on the same data, after `stop` or a death; `changes` hold for this process alone. */
  start(changes?: Partial<AgentOptions>): Promise<void>
  /** As `start`, without waiting until it is connected: its server may be away. */
  launch(changes?: Partial<AgentOptions>): Promise<void>
}

/** Resolves when the agent is connected. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const home = options.home ? keptDirectory(options.home) : await temporaryDirectory('agent')
  const dataDir = join(home.path, 'data')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const { user } = options
  if (user) for (const path of [home.path, dataDir]) await chown(path, user.uid, user.gid)

  let child = launch(options)
  const agentId = await connectedId(child)
  return {
    agentId,
    dataDir,
    get child() {
      return child
    },
    stop: (signal) => child.stop(signal),
    async start(changes) {
      await again(changes)
      await connectedId(child)
    },
    launch: again,
    async [Symbol.asyncDispose]() {
      try {
        expectCleanExit('the agent', child, await child.stop())
      } finally {
        await endStrays(home.path)
        await home[Symbol.asyncDispose]()
      }
    },
  }

  async function again(changes?: Partial<AgentOptions>): Promise<void> {
    await child.exited
    child = launch({ ...options, ...changes })
  }

  function launch({ server, key, name, args, env, command, user }: AgentOptions): BuiltChild {
    const bin = [process.execPath, ...profileFlags('agent'), join(repositoryRoot(), 'apps/agent/bin/iac-agent.js')]
    const flags = ['--server-url', server.url, '--data-dir', dataDir, '--log-format', 'json']
    if (name) flags.push('--name', name)
    return startChild({
      command: [...(command ?? bin), 'start', ...flags, ...(args ?? [])],
      cwd: home.path,
      logFile: join(home.path, 'agent.log'),
      env: {
        PATH: process.env.PATH ?? '',
        HOME: home.path,
        IAC_AGENT_APP_KEY: key.app_key,
        IAC_AGENT_APP_SECRET: key.app_secret,
        ...env,
      },
      ...user,
    })
  }
}

async function connectedId(child: BuiltChild): Promise<string> {
  const { agent_id: id } = await child.waitForLine('ready')
  if (typeof id !== 'string') throw new Error('the agent is ready but does not say its agent_id')
  return id
}
