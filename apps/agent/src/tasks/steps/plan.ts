/** `terraform plan -out`, in terraform's own words. */
import { writeFile } from 'node:fs/promises'
import { has, pendingRun, runsOf } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { makePrivateFile } from '../../journal/private-file.js'
import { planArguments, planMode } from '../../terraform/commands.js'
import { asksForInit } from '../../terraform/output-reading.js'
import { snapshotTree } from '../../terraform/plan-archive.js'
import { allEnded } from '../all-ended.js'
import type { Attempt } from '../attempt.js'
import { readFailure } from '../read-failure.js'
import { placeOf, runTerraform, type TerraformTools } from '../terraform-tools.js'

export async function planStep(attempt: Attempt, tools: TerraformTools): Promise<void> {
  const { journal, layout } = attempt.parts
  const { task } = await attempt.data()
  const mayLackInit = has(journal.facts, 'initSkipped') && runsOf(journal.facts, 'init').length === 0
  if (!pendingRun(journal.facts)) {
    await allEnded([
      noteTree(attempt),
      makePrivateFile(layout.planFile), // terraform would let everybody read it
    ])
    crashPoint('plan.tree_noted')
  }
  const argv = [
    placeOf(attempt).program,
    ...planArguments({
      planFile: layout.planFile,
      mode: planMode(task.task_type),
      targets: task.context.targets,
      replace: task.context.replace,
      refresh: task.context.refresh,
    }),
  ]
  await runTerraform(attempt, tools, 'plan', argv, async (code, outputOffset) => {
    if (code === 0) return {}
    const failure = await readFailure(attempt, outputOffset)
    return mayLackInit && asksForInit(failure.diagnostics ?? []) ? { needsInit: true } : failure
  })
}

/** Made anew by each plan: after a power cut nobody asks for it. */
async function noteTree({ parts: { layout, work } }: Attempt): Promise<void> {
  await writeFile(layout.treeBeforePlan, JSON.stringify(await snapshotTree(work.path)), { mode: 0o600 })
}
