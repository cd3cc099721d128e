/** All peers by name, loaded on use. */
import type { Peer } from './peer.js'

export const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  'bare-api': async () => (await import('../api/bare-api.js')).bareApi,
}
