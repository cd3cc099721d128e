/** Streams a state into a file: hashed and scanned on the way, durable before anybody is told. Never parsed, never re-serialised. */
import { createHash } from 'node:crypto'
import { renameSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readStateHead, type StateHead, stateHeadBytes } from '@iac-agent/protocol'
import { passingBytes, syncDirectory } from '@iac-agent/runtime'
import { type Ballast, withBallast } from '../journal/ballast.js'
import { byteHashes } from '../journal/byte-hashes.js'
import { crashPoint } from '../journal/crash-points.js'
import { streamToFile } from '../journal/stream-to-file.js'
import { type StoredState, stateFileName } from './stored-state.js'

/** Bytes that are durable under a temporary name. */
export interface IncomingState {
  readonly draft: string
  readonly sizeBytes: number
  readonly sha256: string
  /** Base64, as terraform's Content-MD5. */
  readonly md5: string
  /** Undefined: not the beginning of a JSON object. */
  readonly head: StateHead | undefined
  /** Whether the last byte can end a JSON object: a truncated state cannot. */
  readonly isClosed: boolean
}

/**
 * @param expectedBytes how many were announced
 * @throws the stream's or the disk's error; nothing is left behind then
 */
export async function receiveState(
  statesDir: string,
  id: string,
  body: AsyncIterable<Uint8Array>,
  ballast: Pick<Ballast, 'giveBack'>,
  expectedBytes = 0,
): Promise<IncomingState> {
  const draft = join(statesDir, `.incoming-${id}`)
  try {
    return await writeDraft(draft, body, ballast, expectedBytes)
  } catch (cause) {
    await rm(draft, { force: true })
    throw cause
  }
}

/** Gives the state its name, durably. */
export async function keepState(
  statesDir: string,
  incoming: IncomingState,
  place: Pick<StoredState, 'order' | 'serial' | 'lineage' | 'foreign'>,
): Promise<StoredState> {
  const { sha256, sizeBytes } = incoming
  const path = join(statesDir, stateFileName({ ...place, sha256 }))
  crashPoint('state.received')
  renameSync(incoming.draft, path) // terraform waits: to hand it to another thread takes longer than to do it
  await syncDirectory(statesDir)
  return { ...place, path, sha256, sizeBytes }
}

async function writeDraft(
  draft: string,
  body: AsyncIterable<Uint8Array>,
  ballast: Pick<Ballast, 'giveBack'>,
  expectedBytes: number,
): Promise<IncomingState> {
  const sha256 = createHash('sha256')
  await using md5 = passingBytes(byteHashes, ['md5'], expectedBytes) // which takes three times as long
  const head: Uint8Array[] = []
  let headBytes = 0
  let sizeBytes: number
  let tail = ''
  const file = await open(draft, 'w', 0o600)
  try {
    const see = (piece: Uint8Array) => {
      if (headBytes < stateHeadBytes) head.push(piece.subarray(0, stateHeadBytes - headBytes))
      headBytes += piece.length
      tail = (tail + Buffer.from(piece.subarray(-16)).toString('latin1')).slice(-16)
      sha256.update(piece)
      return md5.push(piece)
    }
    sizeBytes = await streamToFile(file, body, see, (write) => withBallast(ballast, write))
  } finally {
    await file.close()
  }
  const [md5Hex = ''] = await md5.finding()
  return {
    draft,
    sizeBytes,
    sha256: sha256.digest('hex'),
    md5: Buffer.from(md5Hex, 'hex').toString('base64'),
    head: readStateHead(Buffer.concat(head).toString('utf8')),
    isClosed: tail.trimEnd().endsWith('}'),
  }
}
