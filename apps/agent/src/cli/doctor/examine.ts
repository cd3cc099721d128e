/** Asks everything doctor asks, in the order in which things build on one another. */
import { silentLogger } from '@iac-agent/runtime'
import type { AgentConfig } from '../../config/config.js'
import { credentialSource } from '../../daemon/credential-source.js'
import { createNetwork } from '../../server-api/network.js'
import { Versions } from '../../terraform/versions.js'
import type { CheckResult } from './check.js'
import { checkClock, checkCredentials, checkUpgrade } from './server-answers.js'
import { checkDisk, checkTerraform } from './this-machine.js'
import { checkWay } from './way-to-server.js'

/** All checks, in the order of `CheckName`; what builds on a failed one is skipped. Changes nothing, here or there. */
export async function examine(config: AgentConfig): Promise<CheckResult[]> {
  await using network = createNetwork(config.network)
  const { serverUrl } = config
  const probe = { serverUrl, network, credentials: credentialSource(config, silentLogger()) }
  const way = await checkWay(serverUrl, network)
  const broken = way.find(({ result }) => result === 'failed')
  const answers = broken
    ? (['credentials', 'upgrade', 'clock'] as const).map(
        (name): CheckResult => ({ name, result: 'skipped', detail: `${broken.name} failed` }),
      )
    : [await checkCredentials(probe), await checkUpgrade(probe), await checkClock(probe)]
  const versions = new Versions({
    searchPath: config.environment.PATH ?? '',
    cacheDir: config.dataDir,
    mayDownload: false,
    ...(config.terraformPath === undefined ? {} : { terraformPath: config.terraformPath }),
  })
  return [
    ...way,
    ...answers,
    await checkDisk([config.dataDir, config.workRoot]),
    await checkTerraform(versions, config.terraformPath),
  ]
}
