import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type PlacementAgent,
  type PlacementTask,
  type PlacementView,
  type PlacementWorkspace,
  placeTasks,
} from './placement.js'

function task(over: Partial<PlacementTask> & { taskId: number }): PlacementTask {
  return {
    poolId: 'pool-1',
    workspaceId: `ws-${over.taskId}`,
    taskType: 'plan',
    phase: 'plan',
    queuedAt: over.taskId,
    labels: {},
    allowUnsavedPlan: false,
    plannedBy: null,
    workRoot: null,
    hasSavedPlan: false,
    refusals: [],
    ...over,
  }
}

function applyOf(taskId: number, over: Partial<PlacementTask> = {}): PlacementTask {
  const planned = { plannedBy: 'a', workRoot: '/work', hasSavedPlan: true }
  return task({ taskId, taskType: 'plan_and_apply', phase: 'apply', ...planned, ...over })
}

function agent(agentId: string, over: Partial<PlacementAgent> = {}): PlacementAgent {
  return {
    agentId,
    poolId: 'pool-1',
    isOnline: true,
    isDraining: false,
    isDegraded: false,
    isSeedOnly: false,
    labels: {},
    workRoot: '/work',
    planLimit: 3,
    planRunning: 0,
    applyRunning: 0,
    workspaceIds: [],
    ...over,
  }
}

function workspace(workspaceId: string, over: Partial<PlacementWorkspace> = {}): PlacementWorkspace {
  return { workspaceId, lock: null, heldBy: null, applyingTask: null, ...over }
}

/** A view in which every task's workspace is known. */
function view(tasks: PlacementTask[], agents: PlacementAgent[], known: PlacementWorkspace[] = []): PlacementView {
  const ids = new Set(tasks.map((one) => one.workspaceId))
  const rest = [...ids].filter((id) => !known.some((one) => one.workspaceId === id)).map((id) => workspace(id))
  return { tasks, agents, workspaces: [...known, ...rest] }
}

function placed(given: PlacementView): Record<number, string> {
  return Object.fromEntries(placeTasks(given).placements.map((one) => [one.taskId, one.agentId]))
}

function reasonOf(given: PlacementView, taskId: number): string | undefined {
  return placeTasks(given).reasons.get(taskId)?.code
}

describe('the order of the queue', () => {
  const busy = [agent('a', { planLimit: 1 })]

  it('serves confirmed applies, then plan_and_apply and destroy, then plan, then drift_check', () => {
    const drift = task({ taskId: 1, taskType: 'drift_check' })
    const plan = task({ taskId: 2 })
    const destroy = task({ taskId: 3, taskType: 'destroy' })
    const apply = applyOf(4)
    expect(placed(view([drift, plan, destroy, apply], busy))).toEqual({ 4: 'a' })
    expect(placed(view([drift, plan, destroy], busy))).toEqual({ 3: 'a' })
    expect(placed(view([drift, plan], busy))).toEqual({ 2: 'a' })
  })

  it('is first come first served inside a kind', () => {
    const late = task({ taskId: 1, queuedAt: 20 })
    const early = task({ taskId: 2, queuedAt: 10 })
    expect(placed(view([late, early], busy))).toEqual({ 2: 'a' })
  })
})

describe('the choice of an agent', () => {
  it('takes the least loaded one', () => {
    const agents = [agent('a', { planRunning: 2 }), agent('b', { planRunning: 1 }), agent('c', { planRunning: 2 })]
    expect(placed(view([task({ taskId: 1 })], agents))).toEqual({ 1: 'b' })
  })

  it('spreads several plans over the agents', () => {
    const tasks = [1, 2, 3, 4].map((taskId) => task({ taskId }))
    const counts = Object.values(placed(view(tasks, [agent('a'), agent('b')])))
    expect(counts.sort()).toEqual(['a', 'a', 'b', 'b'])
  })

  it('shares an agent among plans up to its limit, and names why the rest waits', () => {
    const tasks = [1, 2, 3].map((taskId) => task({ taskId }))
    const given = view(tasks, [agent('a', { planLimit: 2 })])
    expect(placed(given)).toEqual({ 1: 'a', 2: 'a' })
    expect(reasonOf(given, 3)).toBe('agents_busy')
  })

  it('gives an apply the agent alone', () => {
    expect(reasonOf(view([applyOf(1)], [agent('a', { planRunning: 1 })]), 1)).toBe('agents_busy')
    expect(reasonOf(view([task({ taskId: 1 })], [agent('a', { applyRunning: 1 })]), 1)).toBe('agents_busy')
  })

  it('feeds no plan to the agent an apply waits for', () => {
    const given = view([applyOf(1), task({ taskId: 2 })], [agent('a', { planRunning: 1 })])
    expect(placed(given)).toEqual({})
    expect(reasonOf(given, 2)).toBe('agents_busy')
  })

  it('prefers for an apply the agent that planned, even when another is less loaded', () => {
    expect(placed(view([applyOf(1, { plannedBy: 'b' })], [agent('a'), agent('b')]))).toEqual({ 1: 'b' })
  })

  it('gives an apply to another agent with the same work root when the planner is busy', () => {
    const agents = [agent('a', { planRunning: 1 }), agent('b'), agent('c', { workRoot: '/other' })]
    expect(placed(view([applyOf(1)], agents))).toEqual({ 1: 'b' })
  })

  it('never crosses pools', () => {
    expect(reasonOf(view([task({ taskId: 1, poolId: 'pool-2' })], [agent('a')]), 1)).toBe('no_agent_online')
  })

  it('keeps two runs of one workspace out of one work directory', () => {
    const tasks = [task({ taskId: 1, workspaceId: 'ws-x' }), task({ taskId: 2, workspaceId: 'ws-x' })]
    expect(placed(view(tasks, [agent('a'), agent('b')]))).toEqual({ 1: 'a', 2: 'b' })
    expect(reasonOf(view(tasks, [agent('a')]), 2)).toBe('work_directory_busy')
  })
})

describe('a seed-only agent', () => {
  const seed = agent('seed', { isSeedOnly: true, workRoot: null })

  it('is given plan only', () => {
    for (const taskType of ['plan_and_apply', 'destroy', 'drift_check'] as const) {
      expect(reasonOf(view([task({ taskId: 1, taskType })], [seed]), 1)).toBe('no_capable_agent')
    }
    expect(placed(view([task({ taskId: 1 })], [seed]))).toEqual({ 1: 'seed' })
  })

  it('is given plan_and_apply and its apply where an unsaved plan is allowed, and never a destroy', () => {
    const allowed = { allowUnsavedPlan: true }
    expect(placed(view([task({ taskId: 1, taskType: 'plan_and_apply', ...allowed })], [seed]))).toEqual({ 1: 'seed' })
    expect(reasonOf(view([task({ taskId: 1, taskType: 'destroy', ...allowed })], [seed]), 1)).toBe('no_capable_agent')
    const unsaved = applyOf(1, { ...allowed, plannedBy: 'seed', workRoot: null, hasSavedPlan: false })
    expect(placed(view([unsaved], [seed, agent('a')]))).toEqual({ 1: 'seed' })
    expect(reasonOf(view([unsaved], [agent('a')]), 1)).toBe('no_capable_agent')
  })

  it('is not given a saved plan, which it could not restore', () => {
    expect(reasonOf(view([applyOf(1, { allowUnsavedPlan: true })], [seed]), 1)).toBe('no_capable_agent')
  })
})

describe('why a task waits', () => {
  const one = task({ taskId: 1, labels: { zone: 'eu' } })
  const eu = { labels: { zone: 'eu' } }

  it.each([
    ['no_agent_online', view([one], [agent('a', { isOnline: false })])],
    ['no_agent_with_labels', view([one], [agent('a')])],
    ['agents_draining', view([one], [agent('a', { ...eu, isDraining: true }), agent('b')])],
    [
      'agents_degraded',
      view([one], [agent('a', { ...eu, isDegraded: true }), agent('b', { ...eu, isDraining: true })]),
    ],
    ['agents_busy', view([one], [agent('a', { ...eu, planRunning: 3 })])],
    ['no_agent_with_work_root', view([applyOf(1)], [agent('a', { workRoot: '/elsewhere' })])],
    [
      'work_directory_busy',
      view([task({ taskId: 1, refusals: [{ agentId: 'a', isWorkDirectoryBusy: true }] })], [agent('a')]),
    ],
    [
      'awaiting_agent',
      view([task({ taskId: 1, refusals: [{ agentId: 'a', isWorkDirectoryBusy: false }] })], [agent('a')]),
    ],
    [
      'workspace_locked',
      view([task({ taskId: 1 })], [agent('a')], [workspace('ws-1', { lock: { owner: 'eve', reason: 'audit' } })]),
    ],
    [
      'workspace_busy',
      view([task({ taskId: 1, taskType: 'destroy' })], [agent('a')], [workspace('ws-1', { heldBy: 9 })]),
    ],
    ['workspace_busy', view([task({ taskId: 1 })], [agent('a')], [workspace('ws-1', { heldBy: 9, applyingTask: 9 })])],
  ])('says %s', (code, given) => {
    expect(reasonOf(given, 1)).toBe(code)
  })

  it('says who locked the workspace and why', () => {
    const locked = workspace('ws-1', { lock: { owner: 'eve', reason: 'audit' } })
    const reason = placeTasks(view([task({ taskId: 1 })], [agent('a')], [locked])).reasons.get(1)
    expect(reason?.message).toBe('the workspace is locked by eve: audit')
  })

  it('lets plan and drift_check run while another task waits for its confirmation', () => {
    const held = [workspace('ws-1', { heldBy: 9 })]
    expect(placed(view([task({ taskId: 1 })], [agent('a')], held))).toEqual({ 1: 'a' })
    expect(placed(view([task({ taskId: 1, taskType: 'drift_check' })], [agent('a')], held))).toEqual({ 1: 'a' })
  })
})

describe('placement of anything', () => {
  const someAgent = fc.record({
    planLimit: fc.integer({ min: 1, max: 3 }),
    planRunning: fc.integer({ min: 0, max: 3 }),
    applyRunning: fc.integer({ min: 0, max: 1 }),
    isOnline: fc.boolean(),
    isDraining: fc.boolean(),
    isDegraded: fc.boolean(),
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
