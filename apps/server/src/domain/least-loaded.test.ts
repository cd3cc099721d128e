import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LeastLoaded } from './least-loaded.js'
import { agent, task } from './placement-samples.js'
import { byLoad, Slot } from './placement-slot.js'

const someAgent = fc.record({
  planLimit: fc.integer({ min: 1, max: 4 }),
  planRunning: fc.integer({ min: 0, max: 4 }),
  applyRunning: fc.integer({ min: 0, max: 1 }),
  workspaceIds: fc.subarray(['ws-1', 'ws-2']),
})
const someStep = fc.record({
  workspaceId: fc.constantFrom('ws-1', 'ws-2', 'ws-3', 'ws-4'),
  /** an apply elsewhere begins to wait for this one */
  reserves: fc.option(fc.nat(9), { freq: 3 }),
  /** a task of another demand was given to this one */
  feeds: fc.option(fc.nat(9), { freq: 2 }),
})

it('always finds what a look at every slot would find, however slots fill up meanwhile', () => {
  fc.assert(
    fc.property(
      fc.array(someAgent, { maxLength: 12 }),
      fc.array(someStep, { minLength: 1, maxLength: 30 }),
      (agents, steps) => {
        const slots = agents.map((one, index) => new Slot(agent(`a${index}`, one)))
        const leastLoaded = new LeastLoaded(slots)
        for (const [index, { workspaceId, reserves, feeds }] of steps.entries()) {
          const reserved = slots[reserves ?? -1]
          if (reserved !== undefined) reserved.isReserved = true
          const fed = slots[feeds ?? -1]
          if (fed?.hasRoom('plan')) fed.take(task({ taskId: 1_000 + index }))
          const [expected] = slots
            .filter((slot) => slot.hasRoom('plan') && !slot.holds(workspaceId))
            .sort((one, other) => byLoad(one, other))
          const found = leastLoaded.find((slot) => !slot.holds(workspaceId))
          expect(found?.agent.agentId).toBe(expected?.agent.agentId)
          expect(leastLoaded.hasRoom).toBe(slots.some((slot) => slot.hasRoom('plan')))
          found?.take(task({ taskId: index, workspaceId }))
        }
      },
    ),
  )
})
