/** The server's own backup and restore, as an administrator runs them. */
import { join } from 'node:path'
import { type RunningServer, repositoryRoot } from '@iac-agent/testkit'
import { execa } from 'execa'

/** What was acknowledged before `startedAt` is in the file; what came after `endedAt` is not. Epoch ms. */
export interface Backup {
  readonly file: string
  readonly startedAt: number
  readonly endedAt: number
}

/** Beside a server that runs, stopped or not. */
export async function backUp(server: RunningServer, file: string): Promise<Backup> {
  const startedAt = Date.now()
  await admin(server, 'backup', file)
  return { file, startedAt, endedAt: Date.now() }
}

/** The server must be down. */
export async function restore(server: RunningServer, file: string): Promise<void> {
  await admin(server, 'restore', file)
}

async function admin({ dataDir }: RunningServer, command: string, file: string): Promise<void> {
  const bin = join(repositoryRoot(), 'apps/server/bin/iac-server.js')
  await execa(process.execPath, [bin, command, file, '--data-dir', dataDir, '--json'])
}
