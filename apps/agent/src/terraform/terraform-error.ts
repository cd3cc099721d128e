/** A fault of terraform's surroundings: `code` and the sentence become the task's error. */
import type { TaskErrorCode } from '@iac-agent/protocol'

/** The task error codes this folder decides. */
export type TerraformErrorCode = Extract<
  TaskErrorCode,
  | 'agent_fault'
  | 'checksum_mismatch'
  | 'configuration_invalid'
  | 'configuration_unsafe'
  | 'terraform_not_found'
  | 'terraform_version_unavailable'
  | 'work_directory_busy'
>

export class TerraformError extends Error {
  constructor(
    readonly code: TerraformErrorCode,
    message: string,
    options?: { cause: unknown },
  ) {
    super(message, options)
    this.name = 'TerraformError'
  }
}
