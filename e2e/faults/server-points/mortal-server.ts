/** A server that dies at a crash point and is started again, as a service manager would; and an operator who tries again meanwhile. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { createClient, type OperatorClient } from '@iac-agent/client'
import { ApiError, type ErrorCode } from '@iac-agent/protocol'
import {
  createPoolAndKey,
  type PoolAndKey,
  type RunningServer,
  type ServerOptions,
  startServer,
  temporaryDirectory,
} from '@iac-agent/testkit'

export interface MortalServer extends AsyncDisposable {
  readonly running: RunningServer
  /** Repeats whatever was not answered. */
  readonly client: OperatorClient
  /** How often the server was killed. */
  readonly deaths: number
}

/** Answers when the server serves: after its first death when the point is one that a start passes. */
export async function startMortalServer(point: string | undefined, options: ServerOptions = {}): Promise<MortalServer> {
  const home = await temporaryDirectory('mortal')
  const env = point === undefined ? {} : { IAC_CRASH_POINT: point }
  let deaths = 0
  let isOver = false
  const running = await startServer({ ...options, home: home.path, env }).catch((fault: Error) => {
    if (!fault.message.includes('ended (SIGKILL)')) throw fault
    deaths += 1
    return startServer({ ...options, home: home.path })
  })
  const tending = tend()
  return {
    running,
    client: createClient({ baseUrl: running.url, token: running.operatorToken, fetch: persistentFetch }),
    get deaths() {
      return deaths
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      await running[Symbol.asyncDispose]()
      await tending
      await home[Symbol.asyncDispose]()
    },
  }

  async function tend(): Promise<void> {
    for (;;) {
      const { signal } = await running.child.exited
      if (isOver || signal !== 'SIGKILL') return
      deaths += 1
      await running.start({ env: {} })
    }
  }
}

/** Tries again until there is an answer, for 20 s. */
async function persistentFetch(...request: Parameters<typeof fetch>): Promise<Response> {
  for (let left = 400; ; left--) {
    try {
      return await fetch(...request)
    } catch (fault) {
      if (left === 0 || !(fault instanceof TypeError)) throw fault // a TypeError: the connection failed
      await elapsed(50)
    }
  }
}

/** For an operator who hears that a thing is there already (or gone): a repeated call found the work of the one that was cut off. */
export async function unlessDone<T>(call: Promise<T>, code: ErrorCode): Promise<T | undefined> {
  try {
    return await call
  } catch (fault) {
    if (fault instanceof ApiError && fault.code === code) return undefined
    throw fault
  }
}

/** A pool with a key that the caller knows. */
export async function poolAndKey(client: OperatorClient, name: string): Promise<PoolAndKey> {
  const made = await unlessDone(createPoolAndKey(client, name), 'conflict')
  if (made !== undefined) return made
  const { items } = await client.pools.list()
  const poolId = items.find((pool) => pool.name === name)?.id ?? ''
  return { poolId, key: await client.pools.createKey({ params: { id: poolId } }) }
}
