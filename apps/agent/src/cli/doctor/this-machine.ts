/** What this machine must offer: room to write, and a terraform. */
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { TerraformError } from '../../terraform/terraform-error.js'
import type { Versions } from '../../terraform/versions.js'
import { type CheckResult, failed, ok, reasonOf } from './check.js'

/** States, plans and logs wait here while the server is away. */
const leastFreeBytes = 200 * 1024 * 1024

export async function checkDisk(directories: readonly string[]): Promise<CheckResult> {
  const seen: string[] = []
  for (const directory of directories) {
    const existing = await nearestExisting(directory)
    try {
      await access(existing, constants.W_OK | constants.X_OK)
    } catch (error) {
      return failed('disk', `${directory} cannot be written: ${reasonOf(error)}`)
    }
    const { bavail, bsize } = await statfs(existing)
    const freeMiB = Math.floor((bavail * bsize) / 1024 / 1024)
    if (bavail * bsize < leastFreeBytes)
      return failed('disk', `${directory} has only ${freeMiB} MiB free; 200 MiB are the least`)
    seen.push(`${directory}: ${freeMiB} MiB free`)
  }
  return ok('disk', seen.join(', '))
}

/** `terraformPath`: as configured, in place of what is on PATH. */
export async function checkTerraform(versions: Versions, terraformPath?: string): Promise<CheckResult> {
  try {
    const found = (await Promise.all([versions.onHost('terraform'), versions.onHost('tofu')])).filter(
      (each) => each !== undefined,
    )
    if (found.length > 0)
      return ok(
        'terraform',
        found.map(({ engine, version, program }) => `${engine} ${version} (${program})`).join(', '),
      )
    if (terraformPath !== undefined)
      return failed('terraform', `--terraform-path: ${terraformPath} is no terraform or tofu that can be run`)
    return failed('terraform', 'neither terraform nor tofu is on PATH; install one, or name it with --terraform-path')
  } catch (error) {
    return failed('terraform', error instanceof TerraformError ? error.message : reasonOf(error))
  }
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw cause
    return await nearestExisting(dirname(path))
  }
}
