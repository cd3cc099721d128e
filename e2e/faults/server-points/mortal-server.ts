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
  /** The points at which it was killed so far. */
  readonly deaths: readonly string[]
}

/** Dies at the first passing of each of `points`, in whatever order it comes by them. Answers when it serves. */
export async function startMortalServer(points: readonly string[], options: ServerOptions = {}): Promise<MortalServer> {
  const home = await temporaryDirectory('mortal')
  const deaths: string[] = []
  const armed = () => ({ IAC_CRASH_POINT: points.filter((point) => !deaths.includes(point)).join(',') })
  let isOver = false
  const running = await serving(() => startServer({ ...options, home: home.path, env: armed() }))
  const tending = tend()
  return {
    running,
    client: createClient({ baseUrl: running.url, token: running.operatorToken, fetch: persistentFetch }),
    deaths,
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
      deaths.push(pointIn(running.child.log.text))
      await serving(() => running.start({ env: armed() }))
    }
  }

  /** A start may pass points too. */
  async function serving<T>(start: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await start()
      } catch (fault) {
        deaths.push(pointIn((fault as Error).message))
      }
    }
  }
}

/** Where a process died, by what it said last. */
function pointIn(log: string): string {
  const [, point] = /\{"msg":"crash point","point":"([^"]+)"\}\s*$/.exec(log) ?? []
  if (point === undefined) throw new Error(`the server did not die at a crash point\n${log}`)
  return point
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
