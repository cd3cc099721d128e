import { expect, it } from 'vitest'
import { taskData } from '../../src/domain/tasks/task-data.js'
import type { Store } from '../../src/store/store.js'
import { runningPlan } from './running-attempts.js'
import { type TaskWorld, taskWorld } from './task-world.js'

it('takes a turn in the write queue only when a reading changes something, and answers the same bytes', async () => {
  await using world = await taskWorld()
  const taskId = await runningPlan(world)
  const input = { caller: await world.caller(taskId, 1), taskId, includeState: true }
  const { store, turns } = counted(world)
  const read = () => taskData({ store, clock: world.clock }, input)

  const first = await read()
  expect(turns()).toBe(1) // it records the plan's base state
  expect(await read()).toBe(first)
  expect(turns()).toBe(1)
  await world.passFor(10_000)
  expect(await read()).toBe(first)
  expect(turns()).toBe(2) // it renews the lease
})

function counted({ store }: TaskWorld): { store: Store; turns: () => number } {
  let turns = 0
  const own: Store = {
    read: (body) => store.read(body),
    transaction: (...call) => {
      turns++
      return store.transaction(...call)
    },
    changes: store.changes,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
  return { store: own, turns: () => turns }
}
