/** The HTTP application without a port: three audiences, one error funnel. */
import { ApiError, timing } from '@iac-agent/protocol'
import type { Logger } from '@iac-agent/runtime'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { type AgentDeps, agentPlugin } from './agent/agent-plugin.js'
import { answerBrokenHttp } from './broken-http.js'
import { authenticate, type Credentials } from './credentials.js'
import { errorHandler } from './error-handler.js'
import { MinuteBudget } from './minute-budget.js'
import { notFoundHandler } from './not-found.js'
import { meterRequests } from './open/metrics.js'
import { type OpenDeps, openPlugin } from './open/open-plugin.js'
import { type OperatorDeps, operatorPlugin } from './operator/operator-plugin.js'
import { newRequestId } from './request-id.js'
import { securityHeaders } from './security-headers.js'
import type { TrustedProxies } from './trusted-proxies.js'

export interface AppOptions {
  logger: Logger
  credentials: Credentials
  agent: AgentDeps
  operator: OperatorDeps
  open: OpenDeps
  /** /metrics needs no token */
  isMetricsPublic: boolean
  /** proxies whose X-Forwarded-* headers count */
  proxies: TrustedProxies
  tls: { cert: string; key: string } | undefined
  /** requests per minute and credential: an agent's (its key and id), an operator's (its token) */
  rateLimit: { agent: number; operator: number }
}

/** Builds the app; it is ready to `listen` or, in tests, to `inject`. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const app = newFastify(options)
  app.decorate('endpoints', [])
  app.decorateRequest('caller', undefined)
  app.decorateRequest('operator', undefined)
  // route() reads bodies itself: strictly, by the contract, and never before the credentials were checked
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setErrorHandler(errorHandler)
  app.setNotFoundHandler(notFoundHandler)
  const headers = securityHeaders(options.tls !== undefined)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    if (!isForAgents(request)) reply.headers(headers)
    done()
  })
  if (options.logger.isLevelEnabled('debug')) app.addHook('onResponse', logRequest)
  const metricsRoute = meterRequests(app, options.open.store)
  await app.register(openPlugin, options.open)
  if (options.isMetricsPublic) metricsRoute(app)
  await app.register(async (scope) => {
    guard(scope, options, options.rateLimit.agent, agentKey)
    await scope.register(agentPlugin, options.agent)
  })
  await app.register(async (scope) => {
    guard(scope, options, options.rateLimit.operator, (request) => request.operator?.tokenId ?? request.ip)
    await scope.register(operatorPlugin, options.operator)
    if (!options.isMetricsPublic) metricsRoute(scope)
  })
  return app
}

function newFastify({ logger, tls, proxies }: AppOptions): FastifyInstance {
  const common = {
    loggerInstance: quieter(logger),
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: errorHandler,
    connectionTimeout: timing.httpSilenceMs,
    forceCloseConnections: 'idle' as const,
    genReqId: newRequestId,
    childLoggerFactory: (own: FastifyBaseLogger) => own, // a request's records name it themselves
    trustProxy: (address: string) => proxies.has(address),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
  }
  // the same interface over TLS; the types differ only in the server's class
  return tls === undefined ? Fastify(common) : (Fastify({ ...common, https: tls }) as unknown as FastifyInstance)
}

/** What Fastify says of itself is for debugging; `ready` is said once, by start. */
function quieter(logger: Logger): FastifyBaseLogger {
  const own = logger.child({})
  own.info = own.debug
  return own
}

function logRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { id: request_id, method, routeOptions } = request
  const ms = Math.round(reply.elapsedTime)
  request.log.debug({ request_id, method, route: routeOptions.url, status: reply.statusCode, ms }, 'request')
  done()
}

/** No browser can be led to these: their credentials are headers of our own. */
function isForAgents({ routeOptions }: FastifyRequest): boolean {
  const audience = routeOptions.config.endpoint?.audience
  return audience === 'agent' || audience === 'attempt'
}

/** Credentials first, then the limit of that credential. */
function guard(
  scope: FastifyInstance,
  { credentials, agent: { clock } }: Pick<AppOptions, 'credentials' | 'agent'>,
  perMinute: number,
  keyOf: (request: FastifyRequest) => string,
): void {
  const budget = new MinuteBudget(perMinute, clock)
  const count = (request: FastifyRequest) => {
    const retryAfterMs = budget.count(keyOf(request))
    if (retryAfterMs === 0) return
    throw new ApiError('rate_limited', 'too many requests with this credential', { retry_after_ms: retryAfterMs })
  }
  scope.addHook('onRequest', (request, _reply, done) => {
    const checked = authenticate(credentials, request)
    if (checked !== undefined) return void checked.then(() => count(request)).then(() => done(), done)
    count(request)
    done()
  })
}

/** A pool's pair may serve a thousand agents, each with its own share. */
function agentKey({ caller, operator, ip }: FastifyRequest): string {
  if (operator !== undefined) return operator.tokenId
  return caller === undefined ? ip : `${caller.keyId} ${caller.agentId ?? ''}`
}
