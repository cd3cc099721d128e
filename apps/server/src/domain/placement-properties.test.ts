import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeTasks } from './placement.js'
import type { PlacementAgent } from './placement-facts.js'
import { agent, applyOf, placed, task, view } from './placement-samples.js'

describe('placement of anything', () => {
  const someAgent = fc.record({
    planLimit: fc.integer({ min: 1, max: 3 }),
    planRunning: fc.integer({ min: 0, max: 3 }),
    applyRunning: fc.integer({ min: 0, max: 1 }),
    isOnline: fc.boolean(),
    isDraining: fc.boolean(),
    isDegraded: fc.boolean(),
    shortage: fc.constant(null),
    isSeedOnly: fc.boolean(),
    labels: fc.constantFrom({}, { zone: 'eu' }),
    workRoot: fc.constantFrom('/work', '/other'),
  })
  const someTask = fc.record({
    kind: fc.constantFrom('plan', 'plan_and_apply', 'destroy', 'drift_check', 'apply'),
    workspaceId: fc.constantFrom('ws-1', 'ws-2', 'ws-3'),
    queuedAt: fc.nat(5),
    labels: fc.constantFrom({}, { zone: 'eu' }),
    allowUnsavedPlan: fc.boolean(),
    hasSavedPlan: fc.boolean(),
  })
  const someView = fc
    .tuple(fc.array(someTask, { maxLength: 8 }), fc.array(someAgent, { maxLength: 4 }))
    .map(([tasks, agents]) =>
      view(
        tasks.map(({ kind, ...rest }, index) =>
          kind === 'apply' ? applyOf(index + 1, rest) : task({ taskId: index + 1, ...rest, taskType: kind as 'plan' }),
        ),
        agents.map((one, index) => agent(`a${index}`, one)),
      ),
    )

  it('either places a task or says why it waits, never both', () => {
    fc.assert(
      fc.property(someView, (given) => {
        const result = placeTasks(given)
        for (const { taskId } of given.tasks) {
          const isPlaced = result.placements.some((one) => one.taskId === taskId)
          expect(isPlaced).not.toBe(result.reasons.has(taskId))
        }
        expect(new Set(result.placements.map((one) => one.taskId)).size).toBe(result.placements.length)
      }),
    )
  })

  it('never overfills an agent, and leaves an apply alone with it', () => {
    fc.assert(
      fc.property(someView, (given) => {
        const { placements } = placeTasks(given)
        for (const one of given.agents) {
          const own = placements.filter((placement) => placement.agentId === one.agentId)
          if (own.length === 0) continue
          const plans = one.planRunning + own.filter((placement) => placement.phase === 'plan').length
          const applies = one.applyRunning + own.filter((placement) => placement.phase === 'apply').length
          expect(
            applies <= 1 && (applies === 0 || plans === 0) && plans <= Math.max(one.planLimit, one.planRunning),
          ).toBe(true)
          expect(one.isOnline && !one.isDraining && !one.isDegraded).toBe(true)
        }
      }),
    )
  })

  it('never gives one workspace to two tasks that may apply', () => {
    fc.assert(
      fc.property(someView, (given) => {
        const typeOf = new Map(given.tasks.map((one) => [one.taskId, one]))
        const holders = placeTasks(given)
          .placements.map(({ taskId }) => typeOf.get(taskId))
          .filter((one) => one?.taskType === 'plan_and_apply' || one?.taskType === 'destroy')
          .map((one) => one?.workspaceId)
        expect(new Set(holders).size).toBe(holders.length)
      }),
    )
  })

  it('does not depend on the order in which tasks and agents are read', () => {
    fc.assert(
      fc.property(someView, (given) => {
        const turned = { ...given, tasks: [...given.tasks].reverse(), agents: [...given.agents].reverse() }
        expect(placed(turned)).toEqual(placed(given))
      }),
    )
  })

  it('lets every apply through in the end: plans that end are not replaced on the agent it waits for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (agentCount, running) => {
        const agents = Array.from({ length: agentCount }, (_, index) =>
          agent(`a${index}`, { planRunning: running, planLimit: 3 }),
        )
        const plans = Array.from({ length: 30 }, (_, index) => task({ taskId: index + 2 }))
        for (let round = 0; round < 3 * running * agentCount; round++) {
          const { placements } = placeTasks(view([applyOf(1, { plannedBy: null }), ...plans], agents))
          if (placements.some((one) => one.phase === 'apply')) return
          for (const { agentId } of placements) adjust(agents, agentId, 1)
          // the oldest plan of one agent ends
          adjust(agents, agents[round % agentCount]?.agentId ?? '', -1)
        }
        throw new Error('the apply starved')
      }),
    )
  })
})

function adjust(agents: PlacementAgent[], agentId: string, by: number): void {
  const at = agents.findIndex((one) => one.agentId === agentId)
  const found = agents[at]
  if (found !== undefined) agents[at] = { ...found, planRunning: Math.max(0, found.planRunning + by) }
}
