/** A cancel as people see it: the rung, since when, by whom, and what is waited for. */
import { assertNever, type CancelStep, isFinal, type Phase, type TaskCancel } from '@iac-agent/protocol'
import { findAgent } from '../../store/agent-rows.js'
import { type AttemptRow, findAttempt } from '../../store/attempt-rows.js'
import type { Reader } from '../../store/store.js'
import type { TaskRow } from '../../store/task-rows.js'
import { rfc3339, rfc3339OrNull } from '../rfc3339.js'

/** Null while nobody wants an end of the task. */
export async function cancelOf(reader: Reader, task: TaskRow): Promise<TaskCancel | null> {
  const attempt = task.attempt === 0 ? undefined : await findAttempt(reader, task.id, task.attempt)
  const { cancel_requested_at: requestedAt } = task
  const since = attempt?.cancel_rung_at ?? requestedAt
  if (since === null) return null
  const rung = attempt?.cancel_rung ?? 'requested'
  return {
    by: task.cancel_requested_by ?? `agent ${attempt?.agent_id}, for its host`,
    requested_at: rfc3339OrNull(requestedAt),
    force: task.cancel_force === 1,
    rung,
    since: rfc3339(since),
    waiting_for: isFinal(task.status) || attempt === undefined ? null : await waitedFor(reader, task, attempt, rung),
    may_lose: isFinal(task.status) || !isForcedApply(task, attempt) ? null : priceOfForce,
  }
}

const priceOfForce =
  'Terraform is not waited for: resources in flight may come to exist without being in the state. When the task has ended, ' +
  'unrecorded-resources lists what it created or may have created and could not record.'

function isForcedApply(task: TaskRow, attempt: AttemptRow | undefined): boolean {
  return task.cancel_force === 1 && attempt?.phase === 'apply'
}

async function waitedFor(reader: Reader, task: TaskRow, attempt: AttemptRow, rung: CancelStep): Promise<string> {
  const agent = await findAgent(reader, attempt.agent_id)
  const name = `agent ${agent?.name ?? attempt.agent_id}`
  if (agent?.online !== 1) return `${name} to be connected again`
  if (isForcedApply(task, attempt) && rung === 'interrupt') return `${name} to interrupt terraform again`
  return sentenceOf(rung, attempt.phase, name)
}

function sentenceOf(rung: CancelStep, phase: Phase, agent: string): string {
  switch (rung) {
    case 'requested':
      return `${agent} to hear of it`
    case 'heard':
      return `${agent} to interrupt terraform`
    case 'interrupt':
      return phase === 'plan'
        ? 'terraform to end by the interrupt, or its grace to be over: then it is killed'
        : 'terraform to finish what is in flight and save its state; only force goes further'
    case 'interrupt_again':
      return 'terraform to end by the second interrupt, or its grace to be over: then it is killed'
    case 'kill':
      return 'the killed terraform to be gone'
    case 'ended':
      return `${agent} to deliver what the ended run left`
    default:
      return assertNever(rung)
  }
}
