/** All benches in the order they run and are shown, loaded on use. */
import type { Bench } from './bench.js'

export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  dispatch: async () => (await import('./dispatch/dispatch.js')).dispatch,
  burst: async () => (await import('./burst/burst.js')).burst,
  fleet: async () => (await import('./fleet/fleet.js')).fleet,
  stampede: async () => (await import('./stampede/stampede.js')).stampede,
}
