/** An agent's answer to an offer over the C&C socket. Idempotent by attempt number; an answer to what is no longer open is nothing. */
import type { Clock } from '@iac-agent/runtime'
import { endAttempt } from '../../store/attempt-rows.js'
import { findTaskWithAttempt } from '../../store/fence-rows.js'
import type { Store, Tx } from '../../store/store.js'
import type { OpenAttempt } from './fenced-attempt.js'
import { touchAttempt } from './require-attempt.js'

interface Answer {
  readonly agentId: string
  readonly taskId: number
  readonly attempt: number
}

type Deps = { store: Store; clock: Clock }

/** Answers whether the attempt is this agent's to run. */
export function acceptedByAgent(deps: Deps, answer: Answer): Promise<boolean> {
  return deps.store.transaction('accept_offer', async (tx) => {
    const open = findOpen(tx, answer)
    if (open === undefined) return false
    const fenced = await touchAttempt(tx, { ...open, stale: false }, deps.clock)
    return !fenced.stale
  })
}

/** Closes the attempt; the task waits on as before, this agent is spared for a moment. A live attempt is not given back so. */
export function rejectedByAgent(deps: Deps, answer: Answer & { reason: string }): Promise<boolean> {
  return deps.store.transaction('reject_offer', async (tx) => {
    const open = findOpen(tx, answer)
    if (open?.attempt.state !== 'offered') return false
    const end = { outcome: 'rejected', rejectReason: answer.reason } as const
    await endAttempt(tx, open.attempt, end, deps.clock.now())
    tx.changed({ kind: 'task', taskId: answer.taskId })
    return true
  })
}

function findOpen(tx: Tx, answer: Answer): OpenAttempt | undefined {
  const { task, attempt } = findTaskWithAttempt(tx, answer.taskId, answer.attempt) ?? {}
  if (task === undefined || attempt === undefined) return undefined
  const isOpen = attempt.agent_id === answer.agentId && attempt.number === task.attempt && attempt.state !== 'final'
  return isOpen ? { task, attempt } : undefined
}
