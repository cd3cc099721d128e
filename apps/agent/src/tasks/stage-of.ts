/** The stage the server shows while a step runs. */
import { assertNever, type Stage } from '@iac-agent/protocol'
import type { Step } from './next-step.js'

export function stageOf(step: Step): Stage {
  switch (step) {
    case 'fetch':
    case 'prepare':
    case 'find_engine':
      return 'fetching'
    case 'init':
      return 'init'
    case 'plan':
    case 'show':
      return 'planning'
    case 'save_plan':
      return 'saving_plan'
    case 'restore_plan':
    case 'start_gate':
      return 'restoring_plan'
    case 'apply':
      return 'applying'
    case 'collect_states':
    case 'list_unrecorded':
    case 'release':
    case 'finish':
      return 'saving_state'
    default:
      return assertNever(step)
  }
}
