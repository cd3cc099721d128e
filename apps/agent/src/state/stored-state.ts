/** States as files: each under a name of its own that tells order, serial and SHA-256; lineage and size are the file's. */
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readStateHead, type StateHead, stateHeadBytes } from '@iac-agent/protocol'
import { namesIn } from '../journal/names-in.js'

export interface StoredState {
  readonly path: string
  /** Counts from 1 in the order they were stored. */
  readonly order: number
  readonly serial: number
  readonly lineage: string
  readonly sha256: string
  readonly sizeBytes: number
  /** Kept aside: of another lineage, or older than what was current. */
  readonly foreign: boolean
}

const pattern = /^(\d{6,})-(\d+)-([0-9a-f]{64})\.(tfstate|foreign)$/

/** Name of a new state: `000001-5-<sha256>.tfstate`; one kept aside ends in `.foreign`. */
export function stateFileName(state: Pick<StoredState, 'order' | 'serial' | 'sha256' | 'foreign'>): string {
  const { order, serial, sha256, foreign } = state
  return `${String(order).padStart(6, '0')}-${serial}-${sha256}.${foreign ? 'foreign' : 'tfstate'}`
}

/** The states in `statesDir`, oldest first; empty when there is no such directory. */
export async function listStates(statesDir: string): Promise<StoredState[]> {
  const states = await Promise.all((await namesIn(statesDir)).map((name) => readStored(statesDir, name)))
  return states.filter((state) => state !== undefined).sort((one, other) => one.order - other.order)
}

/** Makes the directory (0700) and removes what an earlier process left half-written. */
export async function prepareStatesDirectory(statesDir: string): Promise<void> {
  await mkdir(statesDir, { recursive: true, mode: 0o700 })
  for (const name of await readdir(statesDir)) {
    if (name.startsWith('.incoming-')) await rm(join(statesDir, name), { force: true })
  }
}

/** Head and size of a state file, without reading it whole. `text` is its beginning. */
export async function inspectState(path: string): Promise<{ head: StateHead; sizeBytes: number; text: string }> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(stateHeadBytes), 0, stateHeadBytes, 0)
    const text = buffer.subarray(0, bytesRead).toString('utf8')
    return { head: readStateHead(text) ?? {}, sizeBytes: size, text }
  } finally {
    await file.close()
  }
}

async function readStored(statesDir: string, name: string): Promise<StoredState | undefined> {
  const match = pattern.exec(name)
  if (match === null) return undefined
  const [, order, serial, sha256 = '', ending] = match
  const path = join(statesDir, name)
  const { head, sizeBytes } = await inspectState(path)
  const foreign = ending === 'foreign'
  return { path, order: Number(order), serial: Number(serial), lineage: head.lineage ?? '', sha256, sizeBytes, foreign }
}
