/** `terraform init`, unless what it would do is done already. */
import { has } from '../../journal/attempt-facts.js'
import { crashPoint } from '../../journal/crash-points.js'
import { initArguments } from '../../terraform/commands.js'
import { forgetInit, initKey, isInitNeeded, rememberInit } from '../../terraform/init-cache.js'
import type { Attempt } from '../attempt.js'
import { readFailure } from '../read-failure.js'
import { placeOf, runTerraform, type TerraformTools } from '../terraform-tools.js'

export async function initStep(attempt: Attempt, tools: TerraformTools): Promise<void> {
  const { journal, work } = attempt.parts
  const { workspace } = await attempt.data()
  const { program, version, rootDir, isBuiltinOnly } = placeOf(attempt)
  const subject = {
    workDir: work.path,
    rootDir,
    engine: workspace.engine,
    version,
    isBuiltinOnly,
    seedDir: tools.initCache,
    ...(tools.cliConfigFile === undefined ? {} : { cliConfigFile: tools.cliConfigFile }),
  }
  // Skipped once already and terraform wanted it: then it is needed, whatever the cache says.
  if (!has(journal.facts, 'initSkipped') && !(await isInitNeeded(subject))) {
    await journal.append({ fact: 'initSkipped' })
    return
  }
  const key = await initKey(subject)
  await forgetInit(rootDir)
  const argv = [program, ...initArguments({ lockfileReadonly: attempt.offered.action === 'apply' })]
  await runTerraform(attempt, tools, 'init', argv, async (code, outputOffset) => {
    if (code !== 0) return readFailure(attempt, outputOffset)
    await rememberInit(subject, key)
    crashPoint('init.remembered')
    return {}
  })
}
