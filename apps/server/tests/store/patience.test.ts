import { expect, it } from 'vitest'
import type { Store, Tx } from '../../src/store/store.js'
import { temporaryStore } from './temporary-store.js'

const longerThanAnyTest = 60_000

const naming = (taskId: number) => async (tx: Tx) => tx.changed({ kind: 'task', taskId })

function batchesOf(store: Store): number[] {
  const batches: number[] = []
  store.changes.subscribe((changes) => batches.push(changes.length))
  return batches
}

it('lets patient bodies wait for the COMMIT of whoever comes next', async () => {
  await using opened = await temporaryStore()
  const batches = batchesOf(opened.store)
  const patient = [1, 2].map((id) => opened.store.transaction('heartbeat', naming(id), longerThanAnyTest))
  await opened.store.transaction('create_task', naming(3))
  await Promise.all(patient)
  expect(batches).toEqual([3])
})

it('commits patient bodies together when their time is over and nobody came', async () => {
  await using opened = await temporaryStore()
  const batches = batchesOf(opened.store)
  await Promise.all([1, 2, 3].map((id) => opened.store.transaction('heartbeat', naming(id), 5)))
  expect(batches).toEqual([3])
})

it('works off patient bodies before the store closes', async () => {
  const opened = await temporaryStore()
  const answer = opened.store.transaction('heartbeat', async () => 'done', longerThanAnyTest)
  await opened[Symbol.asyncDispose]()
  expect(await answer).toBe('done')
})

it('names a snapshot anew after each COMMIT, and the same while nobody commits', async () => {
  await using opened = await temporaryStore()
  const snapshot = () => opened.store.read(async (reader) => reader.hot.snapshot())
  const before = await snapshot()
  expect(await snapshot()).toBe(before)
  await opened.store.transaction('create_token', async (tx) => {
    await tx.db.insertInto('meta').values({ key: 'a', value: '1' }).execute()
    expect(tx.hot.snapshot()).not.toBe(before)
  })
  expect(await snapshot()).not.toBe(before)
})
