/** Whether a log is whole, from what is known of its stream and its writer. */
import type { LogState } from '@iac-agent/protocol'

export interface LogStateFacts {
  readonly isSealed: boolean
  readonly attemptIsFinal: boolean
  /** the writer is a seed-only agent, which knows no seal */
  readonly isSeedOnly: boolean
}

/**
 * `complete`: sealed and proven. `uploading`: its attempt may still write. `gap`: ended without a proof, bytes may be missing
 * (late data can still complete it). `unsealed`: the same of a seed-only agent, which never seals.
 */
export function logStateOf({ isSealed, attemptIsFinal, isSeedOnly }: LogStateFacts): LogState {
  if (isSealed) return 'complete'
  if (!attemptIsFinal) return 'uploading'
  return isSeedOnly ? 'unsealed' : 'gap'
}
