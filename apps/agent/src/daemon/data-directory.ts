/** Takes the data directory for this daemon; every way it can fail is one sentence. */
import { access, constants, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, ExitCode, makePrivateDirectory } from '@iac-agent/runtime'
import { DataDirectoryInUse, DataLock } from '../journal/data-lock.js'
import type { DataLayout } from '../journal/layout.js'

/** @throws CommandError 5 naming the pid that has it, 2 when it cannot be written */
export async function takeDataDirectory(data: DataLayout): Promise<DataLock> {
  try {
    await makePrivateDirectory(data.root)
    await access(data.root, constants.W_OK | constants.X_OK)
    const lock = await DataLock.take(data)
    await sweepUnfinished(data.root)
    await makePrivateDirectory(data.attempts)
    await makePrivateDirectory(data.standby)
    return lock
  } catch (cause) {
    if (cause instanceof DataDirectoryInUse) throw new CommandError(cause.message, ExitCode.dataDirInUse, { cause })
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError(`--data-dir: ${data.root} cannot be used: ${problem}`, ExitCode.usage, { cause })
  }
}

/** Files that a killed process had not given their names yet; the ballast's is large. The caller holds the lock. */
async function sweepUnfinished(directory: string): Promise<void> {
  const unfinished = (await readdir(directory)).filter((name) => /\.[0-9a-f]{12}\.tmp$/.test(name))
  for (const name of unfinished) await rm(join(directory, name), { force: true })
}
