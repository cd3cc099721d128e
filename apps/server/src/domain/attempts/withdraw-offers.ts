/** Offers nobody answered are taken back, so that their tasks can be placed again. */
import type { Clock } from '@iac-agent/runtime'
import { endAttempt, findAttempt, type OpenAttemptRow } from '../../store/attempt-rows.js'
import type { Store } from '../../store/store.js'

export interface OfferTimeouts {
  readonly offerTimeoutMs: number
  /** a seed-only agent knows no task_accepted: its first request is the answer */
  readonly seedOfferTimeoutMs: number
}

/** Answers those of `open` that were withdrawn now. */
export async function withdrawOffers(
  deps: { store: Store; clock: Clock } & OfferTimeouts,
  open: readonly OpenAttemptRow[],
): Promise<OpenAttemptRow[]> {
  const now = deps.clock.monotonic()
  const over = open.filter(
    (attempt) => attempt.state === 'offered' && now - attempt.offered_at >= timeoutOf(deps, attempt),
  )
  const ended = await Promise.all(over.map((attempt) => withdraw(deps, attempt)))
  return over.filter((_, index) => ended[index])
}

function timeoutOf(timeouts: OfferTimeouts, attempt: OpenAttemptRow): number {
  return attempt.seed_only === 1 ? timeouts.seedOfferTimeoutMs : timeouts.offerTimeoutMs
}

function withdraw({ store, clock }: { store: Store; clock: Clock }, attempt: OpenAttemptRow): Promise<boolean> {
  return store.transaction('withdraw_offer', async (tx) => {
    const row = await findAttempt(tx, attempt.task_id, attempt.number)
    if (row?.state !== 'offered') return false
    await endAttempt(tx, attempt, { outcome: 'withdrawn' }, clock.now())
    tx.changed({ kind: 'task', taskId: attempt.task_id })
    return true
  })
}
