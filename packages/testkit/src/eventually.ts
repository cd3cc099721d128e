/** Waiting at process borders, where no event reaches the test. */
import { setTimeout as elapsed } from 'node:timers/promises'

/** How long and how often to look. */
export interface Patience {
  /** 15 s unless told. */
  timeoutMs?: number
  /** 25 ms unless told. */
  everyMs?: number
}

/**
 * The first truthy answer of `check`; it may throw meanwhile. When the time is over, throws an error that names `what` was waited for and
 * the last answer or fault.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  { timeoutMs = 15_000, everyMs = 25 }: Patience = {},
): Promise<Exclude<T, undefined | null | false>> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const outcome = await attempt(check)
    if (outcome.value) return outcome.value as Exclude<T, undefined | null | false>
    if (performance.now() > until) {
      const last = outcome.fault ?? `last answer ${JSON.stringify(outcome.value)}`
      throw new Error(`waited ${timeoutMs} ms in vain for: ${what} (${String(last)})`, { cause: outcome.fault })
    }
    await elapsed(everyMs)
  }
}

async function attempt<T>(check: () => T | Promise<T>): Promise<{ value?: T; fault?: unknown }> {
  try {
    return { value: await check() }
  } catch (fault) {
    return { fault } // told when the time is over
  }
}
