/** The built server on a port of its own. */
import { randomBytes } from 'node:crypto'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, type OperatorClient } from '@iac-agent/client'
import { repositoryRoot } from '../repository-root.js'
import { keptDirectory, temporaryDirectory } from '../temporary-directory.js'
import { type BuiltChild, type Exit, expectCleanExit, startChild } from './built-child.js'
import { profileFlags } from './profile-flags.js'

/** What a test may want otherwise. */
export interface ServerOptions {
  /** More flags for `iac-server start`. */
  args?: readonly string[]
  /** Beside PATH and HOME. */
  env?: Record<string, string>
  /** Holds data, token file and log: a temporary directory unless given; a given one exists and is kept. */
  home?: string
  /** The program before `start`; the built bin unless given. */
  command?: readonly string[]
  /** Runs as this user and group; it then owns the temporary data directory. */
  user?: { uid: number; gid: number }
}

/** A server that says it is ready. Dispose ends it by SIGTERM, checks that it exits 0, and removes its temporary data. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string
  readonly dataDir: string
  readonly operatorToken: string
  readonly client: OperatorClient
  /** The process of now; another one after a restart. */
  readonly child: BuiltChild
  stop(signal?: NodeJS.Signals): Promise<Exit>
  /** Again on the same port and data, after `stop` or a death; `changes` hold for this process alone. */
  start(changes?: Partial<ServerOptions>): Promise<void>
  /** As `start`, without waiting until it serves. */
  launch(changes?: Partial<ServerOptions>): Promise<void>
}

/** Resolves when the server serves. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const home = options.home ? keptDirectory(options.home) : await temporaryDirectory('server')
  const dataDir = join(home.path, 'data')
  const operatorToken = randomBytes(24).toString('base64url')
  const tokenFile = join(home.path, 'operator-token')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await writeFile(tokenFile, `${operatorToken}\n`, { mode: 0o600 })
  if (options.user) await giveTo(options.user, [home.path, dataDir, tokenFile])

  let child = launch('127.0.0.1:0', options)
  const url = await readyUrl(child)
  return {
    url,
    dataDir,
    operatorToken,
    client: createClient({ baseUrl: url, token: operatorToken }),
    get child() {
      return child
    },
    stop: (signal) => child.stop(signal),
    async start(changes) {
      await again(changes)
      await readyUrl(child)
    },
    launch: again,
    async [Symbol.asyncDispose]() {
      try {
        expectCleanExit('the server', child, await child.stop())
      } finally {
        await home[Symbol.asyncDispose]()
      }
    },
  }

  async function again(changes?: Partial<ServerOptions>): Promise<void> {
    await child.exited
    child = launch(new URL(url).host, { ...options, ...changes })
  }

  function launch(listen: string, { args, env, command, user }: ServerOptions): BuiltChild {
    const bin = [process.execPath, ...profileFlags('server'), join(repositoryRoot(), 'apps/server/bin/iac-server.js')]
    const flags = [
      '--listen',
      listen,
      '--data-dir',
      dataDir,
      '--operator-token-file',
      tokenFile,
      '--log-format',
      'json',
    ]
    return startChild({
      command: [...(command ?? bin), 'start', ...flags, ...(args ?? [])],
      cwd: home.path,
      logFile: join(home.path, 'server.log'),
      env: { PATH: process.env.PATH ?? '', HOME: home.path, ...env },
      ...user,
    })
  }
}

async function readyUrl(child: BuiltChild): Promise<string> {
  const { url } = await child.waitForLine('ready')
  if (typeof url !== 'string') throw new Error('the server is ready but does not say at which url')
  return url
}

async function giveTo({ uid, gid }: { uid: number; gid: number }, paths: string[]): Promise<void> {
  for (const path of paths) await chown(path, uid, gid)
}
