/** The built agent as a service manager starts it, heard through a pipe (it logs to stderr): its `ready` is known the moment it is written. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { repositoryRoot } from '@iac-agent/testkit'

export interface AgentStart {
  readonly serverUrl: string
  readonly key: { readonly app_key: string; readonly app_secret: string }
  readonly dataDir: string
}

export interface ReadyAgent extends AsyncDisposable {
  readonly pid: number
  /** From the spawn to the line. */
  readonly readyMs: number
}

/** Dispose ends it by SIGTERM. @throws Error when it ends before it is ready */
export async function startReadyAgent({ serverUrl, key, dataDir }: AgentStart): Promise<ReadyAgent> {
  const bin = join(repositoryRoot(), 'apps/agent/bin/iac-agent.js')
  const flags = ['--server-url', serverUrl, '--data-dir', dataDir, '--log-format', 'json']
  const from = performance.now()
  const child = spawn(process.execPath, [bin, 'start', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: dataDir,
      IAC_AGENT_APP_KEY: key.app_key,
      IAC_AGENT_APP_SECRET: key.app_secret,
    },
  })
  const ended = once(child, 'exit')
  const lines = createInterface(child.stderr)
  const ready = new Promise<number>((resolve) => {
    lines.on('line', (line) => {
      if (line.includes('"msg":"ready"')) resolve(performance.now() - from)
    })
  })
  const readyMs = await Promise.race([ready, ended.then(() => undefined)])
  if (readyMs === undefined || child.pid === undefined) throw new Error('the agent ended before it was ready')
  return {
    pid: child.pid,
    readyMs,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
