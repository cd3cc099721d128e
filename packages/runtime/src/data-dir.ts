/** Where a program keeps its data when nobody says. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** `/var/lib/<name>` when it is (or can be) this user's, else `$XDG_STATE_HOME/<name>`, default `~/.local/state/<name>`. */
export async function defaultDataDir(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const system = join('/var/lib', name)
  if (await isWritable(system)) return system
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), name)
}

async function isWritable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK)
    return true
  } catch (err) {
    // anything but "not there" means that it is somebody else's; not there: it is ours if we can make it
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') return false
    return access(dirname(path), constants.W_OK).then(
      () => true,
      () => false,
    )
  }
}
