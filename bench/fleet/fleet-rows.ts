/** The fleet's figures as rows. */
import { last } from '../measure/last.js'
import type { Row } from '../report/row.js'
import type { Load } from './sampled-server.js'

export interface Sample extends Load {
  readonly agents: number
  readonly memoryKiB: number
}

export function rowsOf(ours: Sample[], idleKiB: number, bare: { samples: Sample[]; idleKiB: number }): Row[] {
  return ours.flatMap((sample, index): Row[] => {
    const limit = bare.samples[index] ?? last(bare.samples)
    const isGoal = sample === last(ours)
    const against = 'bare ws server'
    const common = { against, limit: 0 }
    return [
      {
        ...common,
        what: `${sample.agents} agents: memory per agent`,
        ours: (sample.memoryKiB - idleKiB) / sample.agents,
        limit: (limit.memoryKiB - bare.idleKiB) / limit.agents,
        unit: 'KiB',
        ...(isGoal && { target: { of: 'ours', atMost: 25 } }),
      },
      {
        ...common,
        what: `${sample.agents} agents: heartbeats`,
        ours: sample.cores,
        limit: limit.cores,
        unit: 'cores',
        ...(isGoal && { target: { of: 'ours', atMost: 0.25 } }),
      },
      {
        ...common,
        what: `${sample.agents} agents: event loop p99`,
        ours: sample.loopP99Ms,
        limit: limit.loopP99Ms,
        unit: 'ms',
        ...(isGoal && { target: { of: 'ours', atMost: 20 } }),
      },
    ]
  })
}

export function busyRows(busy: Load & { chunksPerSecond: number }, idle: Sample, busyAgents: number): Row[] {
  const what = `${idle.agents} agents, ${busyAgents} busy`
  const against = 'all idle'
  return [
    {
      what: `${what} (${busy.chunksPerSecond.toFixed(0)} chunks/s)`,
      ours: busy.cores,
      limit: idle.cores,
      unit: 'cores',
      against,
    },
    { what: `${what}: event loop p99`, ours: busy.loopP99Ms, limit: idle.loopP99Ms, unit: 'ms', against },
  ]
}

/** Flat: what an agent costs that joins thousands, and what one costs that joins hundreds; both without the server's own share. */
export function growthRows([first, , middle, last]: Sample[]): Row[] {
  if (first === undefined || middle === undefined || last === undefined) return []
  const against = `from ${first.agents} to ${middle.agents}`
  const what = `each agent from ${middle.agents} to ${last.agents}`
  const between = (of: (sample: Sample) => number, from: Sample, to: Sample) =>
    (of(to) - of(from)) / (to.agents - from.agents)
  const memory = (sample: Sample) => sample.memoryKiB
  const microcores = (sample: Sample) => sample.cores * 1_000_000
  return [
    {
      what: `${what}: memory`,
      ours: between(memory, middle, last),
      limit: between(memory, first, middle),
      unit: 'KiB',
      against,
    },
    {
      what: `${what}: millionths of a core`,
      ours: between(microcores, middle, last),
      limit: between(microcores, first, middle),
      unit: '',
      against,
    },
  ]
}
