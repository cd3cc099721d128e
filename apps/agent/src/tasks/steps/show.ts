/** The one `show -json` of a plan: counts, and the redacted plan-json for the server. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { all } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { runDirectory } from '../../journal/layout.js'
import { secretValues } from '../../logs/secret-values.js'
import { showCommand } from '../../terraform/commands.js'
import { redactPlanJson } from '../../terraform/plan-json.js'
import { allEnded } from '../all-ended.js'
import type { Attempt } from '../attempt.js'
import { readFailure } from '../read-failure.js'
import { placeOf, runTerraform, type TerraformTools } from '../terraform-tools.js'
import { savePlanEarly } from './save-plan.js'

export async function showStep(attempt: Attempt, tools: TerraformTools): Promise<void> {
  const { journal, layout } = attempt.parts
  const argv = showCommand(placeOf(attempt).program, layout.planFile, layout.rawPlanJson)
  const show = runTerraform(attempt, tools, 'show', argv, async (code) => {
    if (code === 0) return {}
    const run = all(journal.facts, 'spawning').at(-1)?.run ?? ''
    return await readFailure(attempt, 0, join(runDirectory(layout, run), 'output'))
  })
  await allEnded([show, savePlanEarly(attempt)])
  if (all(journal.facts, 'exited').at(-1)?.code !== 0) return
  const secrets = secretValues((await attempt.data()).variables)
  const summary = await redactPlanJson({ from: layout.rawPlanJson, to: layout.planJson, secrets })
  await rm(layout.rawPlanJson)
  crashPoint('show.redacted')
  const { add, change, destroy } = summary
  await Promise.all([
    journal.append({ fact: 'planShown', counts: { add, change, destroy }, hasChanges: summary.hasChanges }),
    journal.append({ fact: 'planJsonSaved' }),
  ])
}
