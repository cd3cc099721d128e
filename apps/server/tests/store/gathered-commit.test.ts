import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Store } from '../../src/store/store.js'
import { temporaryStore } from './temporary-store.js'

it('commits once for what arrives in company, turn after turn', async () => {
  await using opened = await temporaryStore()
  const told = listen(opened.store)
  const written = [write(opened.store, 1), write(opened.store, 2)]
  await nextTurn()
  written.push(write(opened.store, 3))
  await Promise.all(written)
  expect(told).toEqual([[1, 2, 3]])
})

it('lets a lone body wait for one turn and no longer', async () => {
  await using opened = await temporaryStore()
  const told = listen(opened.store)
  const written = write(opened.store, 1)
  await nextTurn()
  expect(told).toEqual([[1]])
  await written
})

function write(store: Store, taskId: number): Promise<void> {
  return store.transaction('create_task', async (tx) => tx.changed({ kind: 'task', taskId }))
}

/** The tasks of each COMMIT. */
function listen(store: Store): number[][] {
  const told: number[][] = []
  store.changes.subscribe((changes) => told.push(changes.map((change) => (change.kind === 'task' ? change.taskId : 0))))
  return told
}
