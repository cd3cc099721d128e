/** All peers by name, loaded on use. */
import type { Peer } from './peer.js'

export const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  'bare-sockets': async () => (await import('../measure/bare-socket-server.js')).bareSocketServer,
}
