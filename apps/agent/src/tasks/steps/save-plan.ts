/** Packs the plan with what it needs to be applied, here or elsewhere. */
import { readFile } from 'node:fs/promises'
import { parse } from '@iac-agent/protocol'
import { Type } from 'typebox'
import { crashPoint } from '../../journal/crash-points.js'
import { packPlan } from '../../terraform/plan-archive.js'
import type { Attempt } from '../attempt.js'
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
