/** Turns what a step threw into the task's error code and the sentence its owner reads. */
import type { TaskErrorCode } from '@iac-agent/protocol'
import { isDiskFull } from '../journal/ballast.js'
import { ServerRefused } from '../server-api/errors.js'
import { TerraformError } from '../terraform/terraform-error.js'

/** A step's own verdict about the task. */
export class StepFailure extends Error {
  constructor(
    readonly code: TaskErrorCode,
    message: string,
  ) {
    super(message)
    this.name = 'StepFailure'
  }
}

export interface Failure {
  code: TaskErrorCode
  message: string
}

/** Never throws; what nobody foresaw is the agent's fault and says so. */
export function failureOf(error: unknown): Failure {
  if (error instanceof StepFailure) return { code: error.code, message: error.message }
  if (error instanceof TerraformError) return { code: error.code, message: error.message }
  if (error instanceof ServerRefused)
    return { code: 'agent_fault', message: `The server refused what the agent asked for: ${error.message}` }
  if (isDiskFull(error)) return { code: 'disk_full', message: 'The disk of the agent is full.' }
  return { code: 'agent_fault', message: `The agent failed: ${error instanceof Error ? error.message : String(error)}` }
}
