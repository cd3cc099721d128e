/** Checks the credentials a request carries, for both audiences; failures are counted by address. */
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, type Audience, type Role } from '@iac-agent/protocol'
import type { FastifyRequest } from 'fastify'
import type { AgentCaller } from '../domain/attempts/agent-caller.js'
import type { KeyCheck, PoolIdentity } from '../domain/auth/key-check.js'
import { mayAct, type OperatorIdentity, type TokenCheck } from '../domain/auth/token-check.js'
import type { MinuteBudget } from './minute-budget.js'

export interface Credentials {
  keys: KeyCheck
  tokens: TokenCheck
  failures: MinuteBudget
}

/**
 * Sets `request.caller` or `request.operator` as the route's audience asks; an agent's key that is remembered needs no promise.
 * @throws ApiError `unauthorized`, `forbidden`, `rate_limited`
 */
export function authenticate(credentials: Credentials, request: FastifyRequest): void | Promise<void> {
  const audience = request.routeOptions.config.endpoint?.audience ?? 'admin'
  const isOperators =
    isRole(audience) || (audience === 'agent_or_operator' && request.headers.authorization !== undefined)
  if (isOperators) return setOperator(credentials, request, neededRole(audience, request.method))
  return audience === 'open' ? undefined : setCaller(credentials, request)
}

/** The pool of the pair in `X-App-Key` and `X-App-Secret`. @throws ApiError `unauthorized`, `rate_limited` */
export async function requireKey(
  credentials: Credentials,
  headers: IncomingHttpHeaders,
  address: string,
): Promise<PoolIdentity> {
  const identity = await checkKey(credentials, headers)
  if (identity === null) throw wrongPair(credentials, address)
  return identity
}

function checkKey(credentials: Credentials, headers: IncomingHttpHeaders): ReturnType<KeyCheck['check']> {
  const { 'x-app-key': appKey, 'x-app-secret': appSecret } = headers
  if (typeof appKey !== 'string' || typeof appSecret !== 'string')
    throw new ApiError('unauthorized', 'X-App-Key and X-App-Secret are missing')
  return credentials.keys.check(appKey, appSecret)
}

function wrongPair(credentials: Credentials, address: string): ApiError {
  return refused(credentials, address, 'the key pair is wrong, revoked or expired')
}

function setCaller(credentials: Credentials, request: FastifyRequest): void | Promise<void> {
  const set = (identity: PoolIdentity | null) => {
    if (identity === null) throw wrongPair(credentials, request.ip) // asked for here alone: it is worked out anew for each request
    request.caller = callerOf(identity, request)
  }
  const checked = checkKey(credentials, request.headers)
  return checked instanceof Promise ? checked.then(set) : set(checked)
}

function callerOf({ poolId, keyId }: PoolIdentity, { headers }: FastifyRequest): AgentCaller {
  return {
    poolId,
    keyId,
    agentId: nonEmpty(headers['x-agent-id']),
    agentSecret: headers['x-agent-secret']?.toString(),
    lease: nonEmpty(headers['x-task-lease']),
  }
}

function nonEmpty(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined
}

async function setOperator(credentials: Credentials, request: FastifyRequest, needed: Role): Promise<void> {
  request.operator = await requireOperator(credentials, request, needed)
}

async function requireOperator(
  credentials: Credentials,
  request: FastifyRequest,
  needed: Role,
): Promise<OperatorIdentity> {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined) throw new ApiError('unauthorized', 'Authorization: Bearer <token> is missing')
  const operator = await credentials.tokens.check(token)
  if (operator === null) throw refused(credentials, request.ip, 'the token is wrong or was deleted')
  if (!mayAct(operator.role, needed))
    throw new ApiError('forbidden', `this needs the role ${needed}; the token has ${operator.role}`, {
      needed,
      role: operator.role,
    })
  return operator
}

function refused(credentials: Credentials, address: string, message: string): ApiError {
  const retryAfterMs = credentials.failures.count(address)
  if (retryAfterMs === 0) return new ApiError('unauthorized', message)
  return new ApiError('rate_limited', 'too many wrong credentials from this address', { retry_after_ms: retryAfterMs })
}

/** What agents may do to themselves, an operator may do to them; reading takes the least role. */
function neededRole(audience: Audience, method: string): Role {
  if (isRole(audience)) return audience
  return method === 'GET' ? 'read_only' : 'operator'
}

function isRole(audience: Audience): audience is Role {
  return audience === 'read_only' || audience === 'operator' || audience === 'admin'
}
