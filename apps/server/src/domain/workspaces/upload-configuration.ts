/** Takes in the tree that a workspace's next tasks run: judged entry by entry, packed anew, kept as a blob. */
import { once } from 'node:events'
import { pipeline, Readable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import { ApiError, type ConfigurationAnswer, limits } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { Pack, Parser, ReadEntry } from 'tar'
import { type BlobDraft, BlobWriter, discardDraft, keepBlob, receiveBlob } from '../../store/blobs.js'
import { insertConfiguration } from '../../store/configuration-rows.js'
import type { Store } from '../../store/store.js'
import { updateWorkspace } from '../../store/workspace-rows.js'
import { newId } from '../new-id.js'
import { ConfigurationTree } from './configuration-tree.js'
import { requireWorkspace } from './require-workspace.js'

/** The tree's own bytes, and what tar puts around each entry. */
const unpackedBytes = limits.configurationUnpackedBytes + limits.configurationEntries * 2048

interface Deps {
  store: Store
  clock: Clock
}

/**
 * Agents get what our own packer wrote, never the bytes that were uploaded; `sha256` is of that.
 * @param input.body a tar.gz, or a tar; bounded by the caller
 * @throws ApiError `invalid_request` naming the entry, `too_large`
 */
export async function uploadConfiguration(
  deps: Deps,
  input: { workspaceId: string; by: string; body: Readable },
): Promise<ConfigurationAnswer> {
  const { id: workspaceId } = await deps.store.read((reader) => requireWorkspace(reader, input.workspaceId))
  const tree = new ConfigurationTree()
  const draft = await receive(deps, input.body, tree)
  const now = deps.clock.now()
  const row = { id: newId('cfg', now), sha256: draft.sha256, size_bytes: draft.sizeBytes, created_by: input.by }
  let isKept = false
  try {
    await deps.store.transaction('upload_configuration', async (tx) => {
      await requireWorkspace(tx, workspaceId)
      await keepBlob(tx, draft, now)
      const skipped = JSON.stringify(tree.skipped)
      await insertConfiguration(tx, { ...row, workspace_id: workspaceId, skipped, created_at: now })
      await updateWorkspace(tx, workspaceId, { configuration_id: row.id, updated_at: now })
      tx.changed({ kind: 'workspace', workspaceId })
    })
    isKept = true
  } finally {
    if (!isKept) await discardDraft(deps.store, draft)
  }
  return { id: row.id, sha256: draft.sha256, skipped: tree.skipped }
}

async function receive(deps: Deps, body: Readable, tree: ConfigurationTree): Promise<BlobDraft> {
  const { Pack, Parser } = await import('tar')
  const failed = new AbortController()
  const pack = new Pack({ portable: true })
  const parser = new Parser({ strict: true })
  parser.on('entry', (entry: ReadEntry) => sort(entry, tree, pack, failed))
  parser.on('error', (err: Error) => failed.abort(notAnArchive(err)))
  const packed = Readable.from(pack, { objectMode: false }).pipe(createGzip())
  failed.signal.addEventListener('abort', () => packed.destroy(failed.signal.reason as Error))
  const writer = new BlobWriter(deps.store, () => deps.clock.now())
  const receiving = receiveBlob(writer, packed)
  receiving.catch((err: unknown) => failed.abort(err)) // a full disk must not leave the feeding waiting
  try {
    await feed(parser, unpacked(body), failed.signal)
    tree.finish()
    pack.end()
  } catch (err) {
    failed.abort(err)
  }
  return receiving
}

/** Kept entries go on into the pack, the others are read over. */
function sort(entry: ReadEntry, tree: ConfigurationTree, pack: Pack, failed: AbortController): void {
  const path = failed.signal.aborted ? undefined : judged(entry, tree, failed)
  if (path === undefined) {
    entry.resume()
    return
  }
  entry.path = entry.type === 'Directory' ? `${path}/` : path
  pack.add(entry)
}

function judged(entry: ReadEntry, tree: ConfigurationTree, failed: AbortController): string | undefined {
  try {
    return tree.judge(entry)
  } catch (err) {
    failed.abort(err)
    return undefined
  }
}

async function feed(parser: Parser, bytes: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
  const ended = once(parser, 'end', { signal })
  ended.catch(() => undefined) // awaited below, unless feeding fails before
  for await (const chunk of bytes) {
    signal.throwIfAborted()
    if (!parser.write(chunk)) await once(parser, 'drain', { signal })
  }
  parser.end()
  await ended
  signal.throwIfAborted()
}

/** Gunzips what is gzip; bounded, so that a bomb is not unpacked to its end. */
async function* unpacked(body: Readable): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const first = await chunks.next()
  if (first.done === true) throw new ApiError('invalid_request', 'the configuration is empty')
  const all = Readable.from(resumed(first.value, chunks), { objectMode: false })
  const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b
  const bytes: AsyncIterable<Buffer> = isGzip ? pipeline(all, createGunzip(), readerSees) : all
  let size = 0
  try {
    for await (const chunk of bytes) {
      size += chunk.length
      if (size > unpackedBytes)
        throw new ApiError('too_large', `the configuration unpacks to more than ${unpackedBytes} bytes`)
      yield chunk
    }
  } catch (err) {
    throw (err as NodeJS.ErrnoException).code?.startsWith('Z_') === true ? notAnArchive(err) : err
  }
}

async function* resumed(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

/** The reader of the pipeline's end sees its error; nothing else waits for it. */
function readerSees(): void {}

function notAnArchive(cause: unknown): ApiError {
  const error = new ApiError('invalid_request', 'the configuration is not a whole tar.gz archive')
  error.cause = cause
  return error
}
