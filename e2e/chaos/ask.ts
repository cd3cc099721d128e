/** A request over a network that breaks, said again until there is an answer. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { NoAnswer, StrangeAnswer } from '@iac-agent/client'
import { ApiError } from '@iac-agent/protocol'
import type { Asked } from './history.js'

export const againAfterMs = 200
const patienceMs = 2_000

/** Notes in `asked` what came of it: acknowledged, or refused by a verdict. */
export async function ask<A extends Asked>(asked: A, call: (signal: AbortSignal) => Promise<unknown>): Promise<A> {
  for (;;) {
    try {
      await call(AbortSignal.timeout(patienceMs))
      return Object.assign(asked, { acknowledgedAt: Date.now() })
    } catch (error) {
      if (error instanceof ApiError && !error.isRetryable) return Object.assign(asked, { refused: error.code })
      if (!isPassing(error)) throw error
    }
    await elapsed(againAfterMs)
  }
}

/** One look; undefined when there is no answer for now. */
export async function glance<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  try {
    return await call(AbortSignal.timeout(patienceMs))
  } catch (error) {
    if (isPassing(error)) return undefined
    throw error
  }
}

/** The network's fault, or the server's for now. */
function isPassing(error: unknown): boolean {
  return error instanceof NoAnswer || error instanceof StrangeAnswer || (error instanceof ApiError && error.isRetryable)
}
