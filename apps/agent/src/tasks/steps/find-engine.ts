/** Chooses the terraform or tofu binary that the workspace asks for. */
import { crashPoint } from '../../journal/crash-points.js'
import type { Versions } from '../../terraform/versions.js'
import type { Attempt } from '../attempt.js'

export async function findEngineStep(attempt: Attempt, versions: Versions): Promise<void> {
  const { workspace } = await attempt.data()
  const found = await versions.resolve(workspace.engine, workspace.terraform_version, attempt.stopping)
  crashPoint('find_engine.found')
  await attempt.parts.journal.append({
    fact: 'engineFound',
    engine: workspace.engine,
    version: found.version,
    program: found.program,
  })
}
