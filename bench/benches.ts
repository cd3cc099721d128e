/** All benches in the order they run and are shown, loaded on use. */
import type { Bench } from './bench.js'

export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  'log-throughput': async () => (await import('./log-throughput/log-throughput.js')).logThroughput,
  'log-latency': async () => (await import('./log-latency/log-latency.js')).logLatency,
  api: async () => (await import('./api/api.js')).api,
  state: async () => (await import('./state/state.js')).state,
  overhead: async () => (await import('./overhead/overhead.js')).overhead,
  start: async () => (await import('./start/start.js')).start,
}
