/** The whole agent in this process, on a data directory of its own, against a server at a URL. */
import { join } from 'node:path'
import { createLogger, type ExitCode } from '@iac-agent/runtime'
import { temporaryDirectory } from '@iac-agent/testkit'
import { askDaemon } from '../../src/cli/ask-daemon.js'
import { type AgentConfig, readConfig } from '../../src/config/config.js'
import { runDaemon } from '../../src/daemon/daemon.js'
import { type DataLayout, dataLayout } from '../../src/journal/layout.js'

export interface TestDaemon extends AsyncDisposable {
  readonly config: AgentConfig
  readonly data: DataLayout
  /** Resolves with the exit code; rejects when the daemon could not start. */
  readonly ended: Promise<ExitCode>
  status(): Promise<unknown>
  drain(): Promise<unknown>
}

export interface TestDaemonOptions {
  server: { url: string; key: { app_key: string; app_secret: string } }
  flags?: Record<string, string>
  env?: Record<string, string>
  /** Kept after dispose when given. */
  dataDir?: string
  isOnce?: boolean
}

/** Starts the daemon; dispose drains it and removes its directory. */
export async function startDaemon({
  server,
  flags = {},
  env = {},
  dataDir,
  isOnce = false,
}: TestDaemonOptions): Promise<TestDaemon> {
  const home = dataDir === undefined ? await temporaryDirectory('daemon') : undefined
  const root = dataDir ?? join(home?.path ?? '', 'data')
  const environment = {
    PATH: process.env.PATH,
    HOME: home?.path ?? root,
    IAC_AGENT_APP_KEY: server.key.app_key,
    IAC_AGENT_APP_SECRET: server.key.app_secret,
    ...env,
  }
  const config = await readConfig({ serverUrl: server.url, dataDir: root, ...flags }, environment)
  const level = process.env.DAEMON_LOG === undefined ? 'silent' : 'debug'
  const log = await createLogger({ level, format: 'json' })
  const ended = runDaemon({ config, log, version: '0.0.0', isOnce })
  let isOver = false
  const over = () => {
    isOver = true
  }
  const settled = ended.then(over, over) // a test that expects a refusal looks at `ended` itself
  const drain = () => askDaemon(root, 'POST', '/drain')
  return {
    config,
    data: dataLayout(root),
    ended,
    status: () => askDaemon(root, 'GET', '/status'),
    drain,
    async [Symbol.asyncDispose]() {
      if (!isOver) await drain()
      await settled
      await home?.[Symbol.asyncDispose]()
    },
  }
}
