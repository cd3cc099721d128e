/** All peers by name, loaded on use. */
import type { Peer } from './peer.js'

export const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  'http-backend': async () => (await import('../overhead/http-backend.js')).httpBackend,
}
