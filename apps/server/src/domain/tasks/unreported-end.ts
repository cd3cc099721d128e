/** A seed-only agent says a task is over, and never reports its status: after a while the task ends without one. */
import { timing } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import { endAttempt, findAttempt, noteAttempt, type OpenAttemptRow } from '../../store/attempt-rows.js'
import type { Store } from '../../store/store.js'
import { findTask } from '../../store/task-rows.js'
import { touchAttempt } from '../attempts/require-attempt.js'
import { moveTask } from './move-task.js'

/** A whole log does not belong into an error message. */
const hintCharacters = 4096

type Deps = { store: Store; clock: Clock }

export interface EndHint {
  readonly agentId: string
  readonly taskId: number
  readonly attempt?: number | undefined
  readonly error?: string | undefined
}

/**
 * Notes `task_completed` or `task_failed`. Only a hint: a full agent sends it after its status was stored, so nothing is left
 * to note. Answers whether it was about an open attempt of this agent.
 */
export function noteEndHint(deps: Deps, hint: EndHint): Promise<boolean> {
  return deps.store.transaction('note_end_hint', async (tx) => {
    const task = await findTask(tx, hint.taskId)
    if (task === undefined || task.attempt === 0) return false
    const attempt = await findAttempt(tx, task.id, hint.attempt ?? task.attempt)
    if (attempt?.agent_id !== hint.agentId || attempt.number !== task.attempt || attempt.state === 'final') return false
    const fenced = await touchAttempt(tx, { task, attempt, stale: false }, deps.clock)
    if (fenced.stale || attempt.hint_at !== null) return !fenced.stale
    await noteAttempt(tx, attempt, {
      hint_at: deps.clock.monotonic(),
      hint_error: hint.error?.slice(0, hintCharacters) ?? null,
    })
    return true
  })
}

/** Fails the tasks of `open` whose agent hinted their end too long ago. Answers their ids. */
export async function endUnreported(deps: Deps, open: readonly OpenAttemptRow[]): Promise<number[]> {
  const now = deps.clock.monotonic()
  const over = open.filter(
    (row) => row.seed_only === 1 && row.hint_at !== null && now - row.hint_at >= timing.statusNotReportedMs,
  )
  const ended = await Promise.all(over.map((row) => endOne(deps, row)))
  return over.map((row) => row.task_id).filter((_, index) => ended[index])
}

function endOne(deps: Deps, row: OpenAttemptRow): Promise<boolean> {
  return deps.store.transaction('end_unreported', async (tx) => {
    const now = deps.clock.now()
    const task = await findTask(tx, row.task_id)
    const attempt = await findAttempt(tx, row.task_id, row.number)
    if (task === undefined || attempt?.state !== 'live') return false
    await endAttempt(tx, attempt, { outcome: 'failed' }, now)
    const said = attempt.hint_error === null ? '' : `; it said: ${attempt.hint_error}`
    const error_message = `the agent ended the task without reporting its status${said}`
    await moveTask(tx, task, attempt.phase, { kind: 'failed' }, now, {
      error_code: 'status_not_reported',
      error_message,
    })
    return true
  })
}
