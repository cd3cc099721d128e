/** All benches in the order they run and are shown, loaded on use. */
import type { Bench } from './bench.js'

export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  overhead: async () => (await import('./overhead/overhead.js')).overhead,
  start: async () => (await import('./start/start.js')).start,
}
