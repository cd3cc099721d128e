/** Runs a program of this repository on a fresh clone: install, build, and hand over with the arguments given. */
import { install } from './install.mjs'
import { run } from './run.mjs'

/** `path` is the bundle; resolves to the exit code. */
export async function runBuilt(path) {
  const stopped = install()
  if (stopped !== undefined) {
    console.error(stopped)
    return 1
  }
  const built = await run(process.execPath, ['scripts/build.mjs'])
  if (built !== 0) return built
  return await run(process.execPath, [path, ...process.argv.slice(2)], { stdio: 'inherit' })
}
