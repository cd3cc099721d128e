/** Which function does which step. */
import { assertNever } from '@iac-agent/protocol'
import type { Attempt } from './attempt.js'
import type { Step } from './next-step.js'
import { applyStep } from './steps/apply.js'
import { collectStatesStep } from './steps/collect-states.js'
import { fetchStep } from './steps/fetch.js'
import { findEngineStep } from './steps/find-engine.js'
import { finishStep } from './steps/finish.js'
import { initStep } from './steps/init.js'
import { listUnrecordedStep } from './steps/list-unrecorded.js'
import { planStep } from './steps/plan.js'
import { prepareStep } from './steps/prepare.js'
import { releaseStep } from './steps/release.js'
import { restorePlanStep } from './steps/restore-plan.js'
import { savePlanStep } from './steps/save-plan.js'
import { showStep } from './steps/show.js'
import { startGateStep } from './steps/start-gate.js'
import type { TerraformTools } from './terraform-tools.js'

/** Does `step`; it is done once the facts it appends say so. */
export function performStep(attempt: Attempt, tools: TerraformTools, step: Step): Promise<void> {
  switch (step) {
    case 'fetch':
      return fetchStep(attempt)
    case 'prepare':
      return prepareStep(attempt)
    case 'find_engine':
      return findEngineStep(attempt, tools.versions)
    case 'restore_plan':
      return restorePlanStep(attempt)
    case 'init':
      return initStep(attempt, tools)
    case 'plan':
      return planStep(attempt, tools)
    case 'show':
      return showStep(attempt, tools)
    case 'save_plan':
      return savePlanStep(attempt)
    case 'start_gate':
      return startGateStep(attempt)
    case 'apply':
      return applyStep(attempt, tools)
    case 'collect_states':
      return collectStatesStep(attempt)
    case 'list_unrecorded':
      return listUnrecordedStep(attempt)
    case 'release':
      return releaseStep(attempt)
    case 'finish':
      return finishStep(attempt)
    default:
      return assertNever(step)
  }
}
