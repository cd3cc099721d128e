/** The composition root: builds every part by hand and gives each what it uses. */
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { timing } from '@iac-agent/protocol'
import { type Clock, ClosingStack, type Logger, systemClock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import type { ServerConfig } from './config/config.js'
import { ControlHub } from './control/control-hub.js'
import { Gateway } from './control/gateway.js'
import { KeyCheck } from './domain/auth/key-check.js'
import { TokenCheck } from './domain/auth/token-check.js'
import { LogHashes } from './domain/logs/log-hashes.js'
import { LogWatch } from './domain/logs/log-watch.js'
import { appendLive } from './domain/logs/save-chunk.js'
import { ViewerRelay } from './domain/logs/viewer-relay.js'
import { Reconciler } from './domain/reconciler.js'
import { buildApp } from './http/app.js'
import { ConnectionDrain } from './http/connection-drain.js'
import { type Credentials, requireKey } from './http/credentials.js'
import { MinuteBudget } from './http/minute-budget.js'
import { TrustedProxies } from './http/trusted-proxies.js'
import { sweepUploads } from './store/blobs.js'
import { keepLeaseKey } from './store/lease-key.js'
import type { Store } from './store/store.js'
import { storeEpoch } from './store/store-epoch.js'

/** Wrong credentials per minute and address that are answered as such. */
const failedLoginsPerMinute = 120

/** How long requests under way may take when the server stops. */
const requestGraceMs = 10_000

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:8080`, with the port it really has */
  readonly url: string
  readonly store: Store
  readonly app: FastifyInstance
}

export interface ServerParts {
  readonly config: ServerConfig
  readonly store: Store
  readonly logger: Logger
  readonly version: string
  readonly clock?: Clock
}

/**
 * Serves until disposed: then takes no more, ends streams and sockets, finishes requests and the reconciler's pass. The store is
 * the caller's. Rejects with the OS error when the port is taken.
 */
export async function startServer({
  config,
  store,
  logger,
  version,
  clock = systemClock,
}: ServerParts): Promise<RunningServer> {
  await using undo = new ClosingStack()
  await sweepUploads(store, clock.now())
  // before any backup can be made of it
  await store.transaction('keep_lease_key', async (tx) => keepLeaseKey(tx))
  const stopping = new AbortController()
  const hub = new ControlHub()
  const logs = undo.use(new LogWatch(store))
  const hashes = new LogHashes()
  const keys = undo.use(new KeyCheck({ store, clock, onExpiresSoon: (keyId, at) => warnExpiry(logger, keyId, at) }))
  const credentials: Credentials = {
    keys,
    tokens: new TokenCheck(store, config.operatorToken?.reveal()),
    failures: new MinuteBudget(failedLoginsPerMinute, clock),
  }
  const proxies = new TrustedProxies(config.trustedProxies)
  const { heartbeatIntervalMs, leaseTtlMs, offerTimeoutMs } = config
  const epoch = await store.read(storeEpoch)
  const app = await buildApp({
    logger,
    credentials,
    agent: { store, clock, hashes, heartbeatIntervalMs, leaseTtlMs, storeEpoch: epoch },
    operator: { store, clock, link: hub, logs, stopping: stopping.signal },
    open: { store, clock, version },
    isMetricsPublic: config.metricsPublic,
    proxies,
    tls: await readTls(config.tls),
    rateLimit: { agent: config.agentRateLimit, operator: config.operatorRateLimit },
  })
  const drain = new ConnectionDrain(app.server)
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= closeApp(app, drain)
    return closed
  }
  undo.defer(close)
  const gateway = undo.use(
    new Gateway({
      store,
      clock,
      hub,
      storeEpoch: epoch,
      logger,
      authenticate: (request) => requireKey(credentials, request.headers, proxies.clientOf(request)),
      appendLive: (live) => appendLive({ store, clock, hashes }, live),
      heartbeatIntervalMs,
      silenceMs: timing.controlSilenceMs,
    }),
  )
  await app.ready()
  await gateway.attach(app.server)
  undo.use(new ViewerRelay({ store, logs, link: hub, logger }))
  await app.listen({ host: config.listen.host, port: config.listen.port })
  const offers = { offerTimeoutMs, seedOfferTimeoutMs: timing.seedOfferTimeoutMs }
  const reconciler = new Reconciler({ store, clock, link: hub, logger, heartbeatIntervalMs, leaseTtlMs, ...offers })
  const reconciling = reconciler.run(stopping.signal)
  undo.defer(() => reconciling)
  undo.defer(() => {
    stopping.abort()
    void close() // begun first, so that nobody new gets in, and waited for in its turn
  })
  const parts = undo.move()
  return {
    url: urlOf(config, app.server.address() as AddressInfo),
    store,
    app,
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  }
}

/** Requests may finish; those that take longer than the grace are cut off. */
async function closeApp(app: FastifyInstance, connections: ConnectionDrain): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), requestGraceMs)
  connections.drain()
  await app.close()
  clearTimeout(timer)
}

function urlOf({ tls, listen }: ServerConfig, { port }: AddressInfo): string {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return `${tls === undefined ? 'http' : 'https'}://${host}:${port}`
}

async function readTls(tls: ServerConfig['tls']): Promise<{ cert: string; key: string } | undefined> {
  if (tls === undefined) return undefined
  return { cert: await readFile(tls.certFile, 'utf8'), key: await readFile(tls.keyFile, 'utf8') }
}

function warnExpiry(logger: Logger, keyId: string, expiresAt: number): void {
  logger.warn({ key_id: keyId, expires_at: new Date(expiresAt).toISOString() }, 'pool key expires within 14 days')
}
