import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  BlobWriter,
  discardDraft,
  keepBlob,
  readBlob,
  receiveBlob,
  streamBlob,
  sweepUploads,
} from '../../src/store/blobs.js'
import type { Store } from '../../src/store/store.js'
import { temporaryStore } from './temporary-store.js'

const megabyte = 1024 * 1024
const now = () => 1_000

async function* chunksOf(bytes: Buffer, chunkBytes: number) {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

async function keep(store: Store, bytes: Buffer, chunkBytes = 64 * 1024): Promise<string> {
  const draft = await receiveBlob(new BlobWriter(store, now), chunksOf(bytes, chunkBytes))
  await store.transaction('create_token', (tx) => keepBlob(tx, draft, now()))
  return draft.sha256
}

const counts = (store: Store) =>
  store.read(async ({ db }) => ({
    parts: (await db.selectFrom('blob_parts').select('id').execute()).length,
    uploads: (await db.selectFrom('blob_uploads').select('id').execute()).length,
  }))

it('gives back the bytes it was given, of any size', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  for (const size of [0, 1, megabyte - 1, megabyte, megabyte + 1, 3 * megabyte, 3 * megabyte + 17]) {
    const bytes = randomBytes(size)
    const sha256 = await keep(store, bytes, 300_001)
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect((await readBlob(store, sha256)).equals(bytes), `${size} bytes`).toBe(true)
  }
})

it('hands bytes out in parts of at most 1 MiB', async () => {
  await using opened = await temporaryStore()
  const sha256 = await keep(opened.store, randomBytes(5 * megabyte + 1), 5 * megabyte)
  const sizes: number[] = []
  for await (const part of streamBlob(opened.store, sha256)) sizes.push(part.length)
  expect(sizes).toEqual([megabyte, megabyte, megabyte, megabyte, megabyte, 1])
})

it('stores the same bytes once, also when they come twice at a time', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const bytes = randomBytes(2 * megabyte + 5)
  const kept = await Promise.all([keep(store, bytes), keep(store, bytes), keep(store, bytes)])
  expect(new Set(kept).size).toBe(1)
  expect(await counts(store)).toEqual({ parts: 3, uploads: 0 })
  expect((await readBlob(store, kept[0] ?? '')).equals(bytes)).toBe(true)
})

it('takes a draft that is kept twice, as after a lost answer', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const bytes = randomBytes(2 * megabyte)
  const draft = await receiveBlob(new BlobWriter(store, now), chunksOf(bytes, megabyte))
  for (const _ of [1, 2]) await store.transaction('create_token', (tx) => keepBlob(tx, draft, now()))
  expect((await readBlob(store, draft.sha256)).equals(bytes)).toBe(true)
})

it('throws away what a broken upload left', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const broken = async function* () {
    yield randomBytes(3 * megabyte)
    throw new Error('connection lost')
  }
  await expect(receiveBlob(new BlobWriter(store, now), broken())).rejects.toThrow('connection lost')
  expect(await counts(store)).toEqual({ parts: 0, uploads: 0 })
})

it('throws away a draft nobody wants', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const draft = await receiveBlob(new BlobWriter(store, now), chunksOf(randomBytes(3 * megabyte), megabyte))
  expect((await counts(store)).uploads).toBe(1)
  await discardDraft(store, draft)
  expect(await counts(store)).toEqual({ parts: 0, uploads: 0 })
})

it('sweeps uploads that a dead server left, and no blob', async () => {
  await using opened = await temporaryStore()
  const { store } = opened
  const sha256 = await keep(store, randomBytes(2 * megabyte))
  await receiveBlob(new BlobWriter(store, now), chunksOf(randomBytes(3 * megabyte), megabyte))
  expect(await sweepUploads(store, 1_000)).toBe(0)
  expect(await sweepUploads(store, 1_001)).toBe(1)
  expect(await counts(store)).toEqual({ parts: 2, uploads: 0 })
  expect((await readBlob(store, sha256)).length).toBe(2 * megabyte)
})

it('names a blob that is not there', async () => {
  await using opened = await temporaryStore()
  await expect(readBlob(opened.store, 'ab'.repeat(32))).rejects.toMatchObject({ code: 'blob_missing' })
})
