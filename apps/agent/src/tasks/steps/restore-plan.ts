/** Puts the confirmed plan and the files planning made back where they were. */
import { crashPoint } from '../../journal/crash-points.js'
import { restorePlan } from '../../terraform/plan-archive.js'
import type { Attempt } from '../attempt.js'

export async function restorePlanStep(attempt: Attempt): Promise<void> {
  const { journal, layout, work } = attempt.parts
  await restorePlan({ archive: layout.planArchive, workDir: work.path, planFile: layout.planFile })
  crashPoint('restore_plan.restored')
  await journal.append({ fact: 'planRestored' })
}
