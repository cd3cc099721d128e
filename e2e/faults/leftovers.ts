/** What a run must not leave behind on an agent's host. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, processesIn, type RunningAgent } from '@iac-agent/testkit'

/** Resolves when the agent's attempts, claims and terraform processes are gone; throws naming what stays. */
export async function nothingLeft({ dataDir }: RunningAgent): Promise<void> {
  const work = join(dataDir, 'work')
  await eventually('no attempt, claim or process is left', async () => {
    const left = [
      ...(await readdir(join(dataDir, 'attempts'))),
      ...(await readdir(work)).filter((name) => name.endsWith('.claim')),
      ...(await processesIn(work)).map((pid) => `process ${pid}`),
    ]
    if (left.length > 0) throw new Error(left.join(', '))
    return true
  })
}
