/** A server (ours, or the bare one) with a fleet on it, and the figures of both that are compared. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { usageOf } from '../measure/process-usage.js'
import { settledMemoryKiB } from '../measure/settled-memory.js'
import type { SimulatedFleet } from '../measure/simulated-fleet.js'

export interface SampledServer {
  readonly pid: number
  readonly fleet: SimulatedFleet
  /** The text that has `nodejs_eventloop_lag_p99_seconds` since it was asked before. */
  metrics(): Promise<string>
}

export interface Load {
  readonly cores: number
  /** 99 of 100 turns of the event loop took no longer; its sampler looks each 10 ms and counts those too. */
  readonly loopP99Ms: number
  readonly heartbeatsPerSecond: number
}

export function memoryOf({ pid }: SampledServer): Promise<number> {
  return settledMemoryKiB(pid)
}

/** What heartbeats cost for so long. */
export async function loadOf(server: SampledServer, ms: number): Promise<Load> {
  await server.metrics()
  const [before, acknowledged, from] = [await usageOf(server.pid), server.fleet.acknowledged, performance.now()]
  await elapsed(ms)
  const [after, seconds] = [await usageOf(server.pid), (performance.now() - from) / 1000]
  const lag = /^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(await server.metrics())?.[1]
  return {
    cores: (after.cpuSeconds - before.cpuSeconds) / seconds,
    loopP99Ms: Number(lag) * 1000,
    heartbeatsPerSecond: (server.fleet.acknowledged - acknowledged) / seconds,
  }
}
