/** Puts a built program under count. */
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Counts } from './counters/counts.js'
import { repositoryRoot } from './repository-root.js'

export interface Counted {
  /** For a launcher: the program before `start`, and what its environment has beside. */
  readonly command: readonly string[]
  readonly env: Record<string, string>
  /** What the running program did until now. */
  counts(): Promise<Counts>
}

const bins = { agent: 'apps/agent/bin/iac-agent.js', server: 'apps/server/bin/iac-server.js' }

/** @param directory which exists; takes the code and the socket */
export async function countCalls(directory: string, program: keyof typeof bins): Promise<Counted> {
  const { build } = await import('esbuild')
  const preload = join(directory, 'count-calls.mjs')
  const socket = join(directory, `${program}.counters`)
  await build({
    entryPoints: [join(repositoryRoot(), 'packages/testkit/src/counters/preload.ts')],
    outfile: preload,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    logLevel: 'error',
  })
  return {
    command: [process.execPath, '--import', preload, join(repositoryRoot(), bins[program])],
    env: { COUNTERS_SOCKET: socket },
    counts: async () => JSON.parse(await text(createConnection(socket))) as Counts,
  }
}
