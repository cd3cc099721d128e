/** Bulk bytes in the store: content-addressed blobs in sealed 1 MiB parts; rows elsewhere point at a sha256. */
import { createHash, randomUUID } from 'node:crypto'
import { letGo } from '@iac-agent/runtime'
import { openBytes, sealBytes } from './secret-box.js'
import type { Reader, Store, Tx } from './store.js'
import { StoreError } from './store-error.js'

/** Bytes per part; what one upload or download holds in memory. */
const blobPartBytes = 1024 * 1024

/** Received bytes whose hash is known, not yet pointed at. `keepBlob` makes it last; without that the next start sweeps it. */
export interface BlobDraft {
  /** lower-case hex */
  readonly sha256: string
  readonly sizeBytes: number
  readonly uploadId: string
  /** parts already in the store */
  readonly storedParts: number
  /** what follows them */
  readonly lastPart: Buffer
}

/** SHA-256 of all bytes of a blob, by whoever sees them. */
export interface BlobHash {
  update(chunk: Uint8Array): void
  /** lower-case hex; asked for once, at the end */
  digest(): Promise<string>
}

class OwnHash implements BlobHash {
  readonly #hash = createHash('sha256')

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }

  async digest(): Promise<string> {
    return this.#hash.digest('hex')
  }
}

/** Takes bytes as they arrive; what exceeds one part goes into the store at once, the rest with `keepBlob`. */
export class BlobWriter {
  readonly #uploadId = randomUUID()
  /** One for all parts: the memory of each would stay until the next garbage collection. */
  #part: Buffer = Buffer.alloc(0)
  #partBytes = 0
  #storedParts = 0
  #sizeBytes = 0

  constructor(
    private readonly store: Store,
    private readonly now: () => number,
    private readonly hash: BlobHash = new OwnHash(),
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    this.hash.update(chunk)
    this.#sizeBytes += chunk.length
    for (let at = 0; at < chunk.length; ) {
      if (this.#partBytes === blobPartBytes) await this.#storePart()
      const piece = chunk.subarray(at, at + blobPartBytes - this.#partBytes)
      this.#push(piece)
      at += piece.length
    }
  }

  async finish(): Promise<BlobDraft> {
    return {
      sha256: await this.hash.digest(),
      sizeBytes: this.#sizeBytes,
      uploadId: this.#uploadId,
      storedParts: this.#storedParts,
      lastPart: this.#part.subarray(0, this.#partBytes),
    }
  }

  /** Throws away what was received so far. */
  async discard(): Promise<void> {
    this.#partBytes = 0
    if (this.#storedParts > 0) await discardUpload(this.store, this.#uploadId)
  }

  /** Few bytes get a buffer of their size, more than that a whole part's. */
  #push(bytes: Uint8Array): void {
    const size = this.#partBytes + bytes.length
    if (size > this.#part.length) {
      const wider = Buffer.allocUnsafeSlow(this.#partBytes === 0 ? size : blobPartBytes)
      this.#part.copy(wider, 0, 0, this.#partBytes)
      this.#part = wider
    }
    this.#part.set(bytes, this.#partBytes)
    this.#partBytes = size
  }

  async #storePart(): Promise<void> {
    const number = this.#storedParts
    const bytes = sealBytes(this.#part.subarray(0, this.#partBytes))
    const startedAt = this.now()
    await this.store.transaction('store_blob_part', async (tx) => {
      if (number === 0)
        await tx.db.insertInto('blob_uploads').values({ id: this.#uploadId, started_at: startedAt }).execute()
      await tx.db.insertInto('blob_parts').values({ upload_id: this.#uploadId, number, bytes }).execute()
    })
    this.#storedParts++
    letGo(this.#partBytes)
    this.#partBytes = 0
  }
}

/** Receives a whole stream, which bounds itself; when it fails, what came so far is thrown away. */
export async function receiveBlob(writer: BlobWriter, body: AsyncIterable<Uint8Array>): Promise<BlobDraft> {
  try {
    for await (const chunk of body) await writer.write(chunk)
    return await writer.finish()
  } catch (err) {
    await writer.discard()
    throw err
  }
}

/** Throws away a draft that nothing will point at. */
export async function discardDraft(store: Store, draft: BlobDraft): Promise<void> {
  if (draft.storedParts > 0) await discardUpload(store, draft.uploadId)
}

/** Makes a draft a blob. Belongs into the very transaction that writes the row pointing at it; the same bytes again are the same blob. */
export async function keepBlob(tx: Tx, draft: BlobDraft, now: number): Promise<void> {
  const added = await tx.db
    .insertInto('blobs')
    .values({ sha256: draft.sha256, size_bytes: draft.sizeBytes, upload_id: draft.uploadId, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  const isNew = added.numInsertedOrUpdatedRows === 1n
  if (isNew) {
    const last = { upload_id: draft.uploadId, number: draft.storedParts, bytes: sealBytes(draft.lastPart) }
    await tx.db.insertInto('blob_parts').values(last).execute()
  }
  if (draft.storedParts === 0) return
  await tx.db.deleteFrom('blob_uploads').where('id', '=', draft.uploadId).execute()
  if (isNew) return
  const used = tx.db.selectFrom('blobs').select('upload_id')
  const parts = tx.db.deleteFrom('blob_parts').where('upload_id', '=', draft.uploadId)
  await parts.where('upload_id', 'not in', used).execute()
}

/** A blob's bytes, part by part; each part is read in a snapshot of its own. Throws `blob_missing`. */
export async function* streamBlob(store: Store, sha256: string): AsyncGenerator<Buffer> {
  const { blob, first } = await store.read(async (reader) => {
    const found = findBlob(reader, sha256)
    return { blob: found, first: found && findPart(reader, found.upload_id, 0) }
  })
  if (!blob) throw missing(sha256)
  for (let number = 0, sent = 0; sent < blob.size_bytes; number++) {
    const part = number === 0 ? first : await store.read(async (reader) => findPart(reader, blob.upload_id, number))
    if (!part) throw missing(sha256)
    const bytes = openBytes(part.bytes)
    sent += bytes.length
    yield bytes
    letGo(bytes.length)
  }
}

/** A whole blob in memory; for what is known to be small or has to be parsed. */
export async function readBlob(store: Store, sha256: string): Promise<Buffer> {
  const parts = await readParts(store, sha256)
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

/** A whole blob in memory, in the parts it is stored in. */
export async function readParts(store: Store, sha256: string): Promise<Buffer[]> {
  const parts: Buffer[] = []
  for await (const part of streamBlob(store, sha256)) parts.push(part)
  return parts
}

/** Removes uploads that no process goes on with; called once at start, under the data directory's lock. Answers how many. */
export async function sweepUploads(store: Store, startedBefore: number): Promise<number> {
  const left = await store.read((reader) =>
    reader.db.selectFrom('blob_uploads').select('id').where('started_at', '<', startedBefore).execute(),
  )
  for (const { id } of left) await discardUpload(store, id)
  return left.length
}

async function discardUpload(store: Store, uploadId: string): Promise<void> {
  await store.transaction('discard_upload', async (tx) => {
    await tx.db.deleteFrom('blob_parts').where('upload_id', '=', uploadId).execute()
    await tx.db.deleteFrom('blob_uploads').where('id', '=', uploadId).execute()
  })
}

function findBlob(reader: Reader, sha256: string): { size_bytes: number; upload_id: string } | undefined {
  return reader.hot.one('SELECT size_bytes, upload_id FROM blobs WHERE sha256 = ?', sha256)
}

function findPart(reader: Reader, uploadId: string, number: number): { bytes: Buffer } | undefined {
  return reader.hot.one('SELECT bytes FROM blob_parts WHERE upload_id = ? AND number = ?', uploadId, number)
}

function missing(sha256: string): StoreError {
  return new StoreError('blob_missing', `blob ${sha256} is not in the store`)
}
