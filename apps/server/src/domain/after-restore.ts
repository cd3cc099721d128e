/** What a restored store must not take for granted: the world went on after its backup was made. */
import type { Clock } from '@iac-agent/runtime'
import { disconnectAllAgents } from '../store/agent-rows.js'
import { noteAttempt, type OpenAttemptRow, openAttempts } from '../store/attempt-rows.js'
import { findTaskWithAttempt } from '../store/fence-rows.js'
import type { Store, Tx } from '../store/store.js'
import { beginStoreEpoch } from '../store/store-epoch.js'
import { markUnreachable, type TaskRow, updateTask, waitingTasks } from '../store/task-rows.js'
import { acceptOffer } from './attempts/accept-offer.js'
import type { OpenAttempt } from './attempts/fenced-attempt.js'

export interface AfterRestore {
  /** applies that may have gone on or ended since: they wait for their agent or a person */
  readonly unreachableApplies: number
  /** plans whose confirmation was taken back: their apply may have been made since */
  readonly unconfirmedPlans: number
}

/** No agent can give this start id: an apply that was open at the backup is never started (again), only adopted or given up. */
const unknownStart = 'unknown since the restore'

/**
 * Begins the store's next life. Applies that were offered or running become unreachable; confirmations not yet acted on are
 * taken back, and tasks made before get no automatic one: a person looks first. Plans are simply made again.
 */
export function afterRestore(
  deps: { store: Store; clock: Clock },
  { epoch }: { epoch: number },
): Promise<AfterRestore> {
  return deps.store.transaction('begin_store_epoch', async (tx) => {
    await beginStoreEpoch(tx, epoch)
    await disconnectAllAgents(tx)
    const applies = (await openAttempts(tx)).filter(({ phase }) => phase === 'apply')
    for (const apply of applies) await doubt(tx, apply, deps.clock)
    const confirmed = (await waitingTasks(tx)).filter(({ confirmed_at }) => confirmed_at !== null)
    for (const task of confirmed) await takeBackConfirmation(tx, task)
    return { unreachableApplies: applies.length, unconfirmedPlans: confirmed.length }
  })
}

async function doubt(tx: Tx, open: OpenAttemptRow, clock: Clock): Promise<void> {
  const { task, attempt } = findTaskWithAttempt(tx, open.task_id, open.number) as OpenAttempt
  if (attempt.state === 'offered') await acceptOffer(tx, { task, attempt }, clock)
  if (attempt.start_id === null) await noteAttempt(tx, attempt, { start_id: unknownStart })
  await markUnreachable(tx, task.id, clock.now())
}

function takeBackConfirmation(tx: Tx, task: TaskRow): Promise<unknown> {
  return updateTask(tx, task.id, {
    confirmed_by: null,
    confirmed_at: null,
    confirmed_plan: null,
    confirm_description: null,
  })
}
