/** All benches in the order they run and are shown, loaded on use. */
import type { Bench } from './bench.js'

export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  overhead: async () => (await import('./overhead/overhead.js')).overhead,
  dispatch: async () => (await import('./dispatch/dispatch.js')).dispatch,
  burst: async () => (await import('./burst/burst.js')).burst,
  'log-throughput': async () => (await import('./log-throughput/log-throughput.js')).logThroughput,
  'log-latency': async () => (await import('./log-latency/log-latency.js')).logLatency,
  fleet: async () => (await import('./fleet/fleet.js')).fleet,
  api: async () => (await import('./api/api.js')).api,
  state: async () => (await import('./state/state.js')).state,
  stampede: async () => (await import('./stampede/stampede.js')).stampede,
  start: async () => (await import('./start/start.js')).start,
}
