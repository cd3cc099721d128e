/** The built server with a pool, ready for thousands of simulated agents; and the bare server with the same door. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createPoolAndKey,
  type PoolAndKey,
  profileFlags,
  type RunningServer,
  repositoryRoot,
  type ServerOptions,
  startServer,
} from '@iac-agent/testkit'
import { collectOnSignalScript } from './settled-memory.js'

export interface FleetServer extends AsyncDisposable {
  readonly server: RunningServer
  readonly pool: PoolAndKey
}

/** Ours; it collects its garbage when told to, and counts no operator's requests. @param home a directory on a real disk, kept */
export async function openFleetServer(home: string, options: ServerOptions = {}): Promise<FleetServer> {
  const hook = join(home, 'collect-on-signal.cjs')
  await writeFile(hook, collectOnSignalScript)
  const bin = join(repositoryRoot(), 'apps/server/bin/iac-server.js')
  const server = await startServer({
    home,
    command: [process.execPath, ...profileFlags('server'), '--require', hook, bin],
    args: ['--operator-rate-limit', '10000000', '--metrics-public'],
    ...options,
  })
  const pool = await createPoolAndKey(server.client)
  return { server, pool, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
