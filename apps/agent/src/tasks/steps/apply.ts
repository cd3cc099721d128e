/** `terraform apply` of exactly the confirmed plan. */
import { applyArguments } from '../../terraform/commands.js'
import type { Attempt } from '../attempt.js'
import { readApplyEnd } from '../read-apply-end.js'
import { placeOf, runTerraform, type TerraformTools } from '../terraform-tools.js'

export async function applyStep(attempt: Attempt, tools: TerraformTools): Promise<void> {
  const argv = [placeOf(attempt).program, ...applyArguments(attempt.parts.layout.planFile)]
  await runTerraform(attempt, tools, 'apply', argv, (_code, outputOffset) => readApplyEnd(attempt, outputOffset))
}
