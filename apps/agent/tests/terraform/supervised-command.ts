/** A command under supervise.sh in a directory of its own, for tests. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, temporaryDirectory } from '@iac-agent/testkit'
import { isAlive } from '../../src/journal/process-identity.js'
import { makeCgroup, removeCgroup } from '../../src/terraform/cgroup.js'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { groupMembers } from '../../src/terraform/process-group.js'
import type { SupervisedRun } from '../../src/terraform/supervised-run.js'
import { startRun } from './start-run.js'

export interface SupervisedCommand extends AsyncDisposable {
  readonly run: SupervisedRun
  readonly directory: string
  readonly script: string
  output(): Promise<string>
  /** Waits for a line of the command, which it prints when it is where the test wants it. */
  prints(text: string): Promise<void>
  supervisorPid(): Promise<number>
  /** Live processes of the group; empty when nothing is left behind. */
  leftBehind(): Promise<number[]>
}

export async function superviseCommand(
  command: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; cgroup?: string | undefined; crashPoint?: string } = {},
): Promise<SupervisedCommand> {
  const temporary = await temporaryDirectory()
  const directory = temporary.path
  const runDir = join(directory, 'run')
  const script = await installSupervisor(directory)
  await mkdir(runDir)
  const cgroup = options.cgroup === undefined ? undefined : await makeCgroup(options.cgroup, directory)
  const run = await startRun({
    script,
    runDir,
    command,
    cwd: options.cwd ?? directory,
    env: options.env ?? { PATH: process.env.PATH ?? '' },
    ...(cgroup === undefined ? {} : { cgroup }),
    ...(options.crashPoint === undefined ? {} : { crashPoint: options.crashPoint }),
  })
  const output = () => readFile(join(runDir, 'output'), 'utf8').catch(() => '')
  const supervisorPid = async () => (await eventually('the claim', async () => (await run.facts()).claim)).pid
  return {
    run,
    directory,
    script,
    output,
    supervisorPid,
    prints: async (text) => void (await eventually(`the output ${text}`, async () => (await output()).includes(text))),
    leftBehind: async () => groupMembers(await supervisorPid()),
    [Symbol.asyncDispose]: async () => {
      const { claim } = await run.facts()
      if (claim !== undefined && (await isAlive(claim))) process.kill(-claim.pid, 'SIGKILL')
      await removeCgroup(runDir)
      await temporary[Symbol.asyncDispose]()
    },
  }
}

/** A shell command line. */
export function sh(text: string): string[] {
  return ['/bin/sh', '-c', text]
}
