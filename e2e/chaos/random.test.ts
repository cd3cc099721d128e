import { expect, it } from 'vitest'
import { Random } from './random.js'
import { drawRound } from './round.js'

const size = {
  ...{
    agents: ['a', 'b'],
    smallDisk: 'b',
    forMs: 20_000,
    leaseMs: 3_000,
    rate: 1,
    without: new Set<never>(),
    tasks: 30,
  },
}

it('draws the same round again from the same seed, and another from another', () => {
  const round = (seed: string, number: number) => JSON.stringify(drawRound(new Random(seed), number, size))
  expect(round('s', 1)).toBe(round('s', 1))
  expect(new Set([round('s', 1), round('s', 2), round('t', 1)]).size).toBe(3)
})

it('draws a round that can be played: as many tasks as asked, faults of a lane one after the other, all over in time', () => {
  const { workspaces, faults } = drawRound(new Random('s'), 1, size)
  expect(workspaces.flatMap(({ tasks }) => tasks)).toHaveLength(30)
  expect(faults.length).toBeGreaterThan(10)
  for (const { atMs, lengthMs } of faults) expect(atMs + lengthMs).toBeLessThanOrEqual(size.forMs)
  const ofOneAgent = faults.filter(({ target, kind }) => target === 'a' && kind.startsWith('agent '))
  for (const [index, { atMs, lengthMs }] of ofOneAgent.entries())
    expect(atMs + lengthMs).toBeLessThanOrEqual(ofOneAgent[index + 1]?.atMs ?? Number.POSITIVE_INFINITY)
})

it('leaves out the kinds it is told to', () => {
  const without = new Set(['agent kill', 'disk full'] as const)
  const { faults } = drawRound(new Random('s'), 1, { ...size, without })
  expect(faults.filter(({ kind }) => kind === 'agent kill' || kind === 'disk full')).toEqual([])
})
