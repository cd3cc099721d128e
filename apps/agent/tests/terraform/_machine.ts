/** One machine of a test: what an agent does around terraform, without the agent. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import type { TemporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { openStateBackend } from '../../src/state/state-backend.js'
import { listStates } from '../../src/state/stored-state.js'
import { scanConfiguration } from '../../src/terraform/backend-block.js'
import { showCommand } from '../../src/terraform/commands.js'
import { writeConfiguration } from '../../src/terraform/configuration.js'
import { ownVariables } from '../../src/terraform/environment.js'
import type { InitSubject } from '../../src/terraform/init-cache.js'

const lineage = 'the-lineage'

/** `name` is one machine, `workDir` is the same path on all. */
export async function machine(temporary: TemporaryDirectory, name: string, configuration: string) {
  const workDir = join(temporary.path, 'work')
  const own = join(temporary.path, name)
  await rm(workDir, { recursive: true, force: true })
  await mkdir(workDir)
  await mkdir(own, { recursive: true })
  const backend = await openStateBackend({
    statesDir: join(own, 'states'),
    lineage,
    onState: async () => undefined,
    log: silentLogger(),
  })
  const workspace = { tf_code: configuration, provider_config: null, working_directory: null }
  const { rootDir, ownFiles } = await writeConfiguration({ workDir, workspace, resources: [] })
  const run = async (program: string, args: readonly string[]) => {
    const result = await execa(program, args, {
      cwd: rootDir,
      env: { PATH: process.env.PATH, ...ownVariables({ backend: backend.env }) },
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
    })
    return { exitCode: result.exitCode, all: result.all }
  }
  return {
    workDir,
    rootDir,
    ownFiles,
    planFile: join(own, 'plan.tfplan'),
    jsonFile: join(own, 'raw.json'),
    states: () => listStates(join(own, 'states')),
    terraform: (args: readonly string[]) => run('terraform', args),
    show: () => run('/bin/sh', showCommand('terraform', join(own, 'plan.tfplan'), join(own, 'raw.json')).slice(1)),
    subject: async (): Promise<InitSubject> => ({
      workDir,
      rootDir,
      engine: 'terraform',
      version: '1.11.4',
      isBuiltinOnly: (await scanConfiguration(rootDir, ownFiles)).isBuiltinOnly,
      seedDir: join(own, 'init'),
    }),
    [Symbol.asyncDispose]: () => backend.close(),
  }
}
