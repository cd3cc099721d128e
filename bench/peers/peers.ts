/** All peers by name, loaded on use. */
import type { Peer } from './peer.js'

export const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  'log-sink': async () => (await import('../log-throughput/log-sink.js')).logSink,
  'busy-fleet': async () => (await import('../log-latency/busy-fleet.js')).busyFleet,
  'ws-echo': async () => (await import('../log-latency/ws-echo.js')).wsEcho,
  'bare-api': async () => (await import('../api/bare-api.js')).bareApi,
  'http-backend': async () => (await import('../overhead/http-backend.js')).httpBackend,
  'bare-sockets': async () => (await import('../measure/bare-socket-server.js')).bareSocketServer,
}
