/** `terraform init`, unless what it would do is done already. */
import { has } from '../../journal/attempt-facts.js'
import { initArguments } from '../../terraform/commands.js'
import { initStatus, rememberInit } from '../../terraform/init-cache.js'
import type { Attempt } from '../attempt.js'
import { readFailure } from '../read-failure.js'
import { placeOf, runTerraform, type TerraformTools } from '../terraform-tools.js'

export async function initStep(attempt: Attempt, tools: TerraformTools): Promise<void> {
  const { journal, work } = attempt.parts
  const { workspace } = await attempt.data()
  const { program, version, rootDir } = placeOf(attempt)
  const seedDir = tools.initSeedOf(workspace.workspace_id)
  const status = await initStatus({
    rootDir,
    workDir: work.path,
    engine: workspace.engine,
    version,
    seedDir,
    ...(tools.cliConfigFile === undefined ? {} : { cliConfigFile: tools.cliConfigFile }),
  })
  // Skipped once already and terraform wanted it: then it is needed, whatever the cache says.
  if (!status.needed && !has(journal.facts, 'initSkipped')) {
    await journal.append({ fact: 'initSkipped' })
    return
  }
  const argv = [program, ...initArguments({ lockfileReadonly: attempt.offered.action === 'apply' })]
  await runTerraform(attempt, tools, 'init', argv, async (code, outputOffset) => {
    if (code !== 0) return readFailure(attempt, outputOffset)
    await rememberInit({ rootDir, seedDir, key: status.key, engine: workspace.engine, version })
    return {}
  })
}
