/** `npm run demo` on a fresh clone: install, build, and hand over to the demo with the arguments given. */
import { install } from './install.mjs'
import { run } from './run.mjs'

process.exitCode = await demo()

async function demo() {
  const stopped = install()
  if (stopped !== undefined) {
    console.error(stopped)
    return 1
  }
  const built = await run(process.execPath, ['scripts/build.mjs'])
  if (built !== 0) return built
  return await run(process.execPath, ['demo/dist/main.js', ...process.argv.slice(2)], { stdio: 'inherit' })
}
