/** Packs the plan with what it needs to be applied, here or elsewhere. */
import { readFile } from 'node:fs/promises'
import { mayApply, parse } from '@iac-agent/protocol'
import { Type } from 'typebox'
import { all, commandOf, has } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { packPlan } from '../../terraform/plan-archive.js'
import type { Attempt } from '../attempt.js'
import { isStopped } from '../next-step.js'
import { outputTells } from '../output-tells.js'
import { placeOf } from '../terraform-tools.js'

/** Path to stamp, as terraform/plan-archive.ts took it. */
const TreeBefore = Type.Record(Type.String(), Type.String())

export async function savePlanStep(attempt: Attempt): Promise<void> {
  const { journal, layout, work } = attempt.parts
  const before = parse(TreeBefore, JSON.parse(await readFile(layout.treeBeforePlan, 'utf8')), layout.treeBeforePlan)
  await packPlan({
    workDir: work.path,
    rootDir: placeOf(attempt).rootDir,
    planFile: layout.planFile,
    before,
    target: layout.planArchive,
  })
  crashPoint('save_plan.packed')
  await journal.append({ fact: 'planPacked' })
}

/** Beside `show`, so that the archive is on its way while the plan is read; what cannot be packed now is for the step of its own. */
export async function savePlanEarly(attempt: Attempt): Promise<void> {
  const { journal, layout, log } = attempt.parts
  const { task } = await attempt.data()
  if (has(journal.facts, 'planPacked') || isStopped(journal.facts) || !mayApply(task.task_type)) return
  const from = all(journal.facts, 'spawning').findLast(({ run }) => commandOf(run) === 'plan')?.outputOffset ?? 0
  if (await outputTells(layout.output, from, 'No changes.')) return
  await savePlanStep(attempt).catch((err: unknown) => log.warn({ err }, 'plan not packed early'))
}
