/** An agent whose data directory is a disk of its own, small enough to be filled: a tmpfs that only its processes see. */
import { open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot, type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import type { Rig } from '../rig.js'
import { type LoneAgent, loneAgent } from './lone-agent.js'

const sizeMiB = 96
const mount = `mount -t tmpfs -o size=${sizeMiB}m,mode=700 tmpfs "$0" && exec "$@"`

export interface SmallDiskAgent extends AsyncDisposable {
  readonly agent: LoneAgent
  /** Leaves so many bytes free; none unless told. */
  fill(room?: { butBytes: number }): Promise<void>
  /** Gives back what `fill` took. */
  free(): Promise<void>
  /** Attempts that are not delivered, by their names. */
  unfinished(): Promise<string[]>
}

/** @throws with a sentence that says what this machine does not let us do */
export async function agentOnSmallDisk(rig: Rig, args: readonly string[]): Promise<SmallDiskAgent> {
  const namespace = process.getuid?.() === 0 ? ['unshare', '--mount'] : ['unshare', '--map-root-user', '--mount']
  await requireNamespaces(namespace)
  const home = await temporaryDirectory('small-disk')
  const bin = join(repositoryRoot(), 'apps/agent/bin/iac-agent.js')
  const command = [...namespace, 'sh', '-c', mount, join(home.path, 'data'), process.execPath, bin]
  const agent = await loneAgent(rig, { home: home.path, command, args })
  const seenDataDir = join('/proc', String(agent.child.pid), 'root', agent.dataDir)
  const filler = join(seenDataDir, 'filler')
  return {
    agent,
    fill: async (room = { butBytes: 0 }) => {
      await fill(filler)
      const { size } = await stat(filler)
      await truncate(filler, Math.max(0, size - room.butBytes))
    },
    free: () => rm(filler, { force: true }),
    unfinished: () => unfinishedIn(join(seenDataDir, 'attempts')),
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

async function requireNamespaces(namespace: readonly string[]): Promise<void> {
  await using probe: TemporaryDirectory = await temporaryDirectory('probe')
  const [file = '', ...args] = [...namespace, 'sh', '-c', mount, probe.path, 'true']
  const { exitCode, stderr } = await execa(file, args, { reject: false })
  if (exitCode === 0) return
  throw new Error(
    `this test mounts a ${sizeMiB} MB tmpfs: it needs to be run as root with CAP_SYS_ADMIN, or as a user who may make user namespaces (${stderr})`,
  )
}

/** Those whose final status no server has acknowledged. */
async function unfinishedIn(attempts: string): Promise<string[]> {
  const names = await readdir(attempts)
  const journals = await Promise.all(names.map((name) => readFile(join(attempts, name, 'journal.jsonl'), 'utf8')))
  return names.filter((_, index) => !journals[index]?.includes('"fact":"delivered","item":"status"'))
}

async function fill(path: string): Promise<void> {
  await using file = await open(path, 'a', 0o600)
  for (let blockBytes = 64 * 1024; blockBytes >= 1; ) {
    try {
      await file.write(Buffer.alloc(blockBytes, 'x'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      blockBytes = Math.floor(blockBytes / 16)
    }
  }
}
