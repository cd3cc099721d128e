/** Takes the data directory for this daemon; every way it can fail is one sentence. */
import { access, constants } from 'node:fs/promises'
import { CommandError, ExitCode, makePrivateDirectory } from '@iac-agent/runtime'
import { DataDirectoryInUse, DataLock } from '../journal/data-lock.js'
import type { DataLayout } from '../journal/layout.js'

/** @throws CommandError 5 naming the pid that has it, 2 when it cannot be written */
export async function takeDataDirectory(data: DataLayout): Promise<DataLock> {
  try {
    await makePrivateDirectory(data.root)
    await access(data.root, constants.W_OK | constants.X_OK)
    const lock = await DataLock.take(data)
    await makePrivateDirectory(data.attempts)
    return lock
  } catch (cause) {
    if (cause instanceof DataDirectoryInUse) throw new CommandError(cause.message, ExitCode.dataDirInUse, { cause })
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError(`--data-dir: ${data.root} cannot be used: ${problem}`, ExitCode.usage, { cause })
  }
}
