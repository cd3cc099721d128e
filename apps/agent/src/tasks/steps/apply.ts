/** `terraform apply` of exactly the confirmed plan. */
import { applyArguments } from '../../terraform/commands.js'
import type { Attempt } from '../attempt.js'
import { readCounts, readFailure } from '../read-failure.js'
import { placeOf, runTerraform, type TerraformTools } from '../terraform-tools.js'

export async function applyStep(attempt: Attempt, tools: TerraformTools): Promise<void> {
  const argv = [placeOf(attempt).program, ...applyArguments(attempt.parts.layout.planFile)]
  await runTerraform(attempt, tools, 'apply', argv, async (code, outputOffset) => {
    if (code !== 0) return await readFailure(attempt, outputOffset)
    const counts = await readCounts(attempt, outputOffset)
    return counts ? { counts } : {}
  })
}
