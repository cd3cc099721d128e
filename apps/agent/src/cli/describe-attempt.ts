/** An attempt as `status` and `drain` show it. */
import { type Static, Type } from 'typebox'

export const RunningAttempt = Type.Object({
  task_id: Type.Integer(),
  attempt: Type.Integer(),
  action: Type.String(),
  stage: Type.String(),
  unsent: Type.Array(Type.String()),
})
export type RunningAttempt = Static<typeof RunningAttempt>

/** One line on what an attempt does, or still has to send. */
export function describeAttempt({ task_id, attempt, action, stage, unsent }: RunningAttempt): string {
  const waiting = unsent.length > 0 ? `, unsent: ${unsent.join(', ')}` : ''
  return `task ${task_id}  ${action} (attempt ${attempt}): ${stage}${waiting}`
}
