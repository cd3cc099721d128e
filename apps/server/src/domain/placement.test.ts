import { describe, expect, it } from 'vitest'
import { placeTasks } from './placement.js'
import { agent, applyOf, placed, reasonOf, task, view, workspace } from './placement-samples.js'

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
