/** `npm test` on a fresh clone: install, check, build, every test but the containers'; the last line is `N passed, N failed`. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from './install.mjs'
import { run } from './run.mjs'

const vitest = fileURLToPath(new URL('../node_modules/.bin/vitest', import.meta.url))
const total = { passed: 0, failed: 0 }
const broken = []

try {
  await everything()
} catch (error) {
  breakOff(`the test run itself broke: ${error.stack}`)
}
for (const sentence of broken) console.log(sentence)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

async function everything() {
  const stopped = install()
  if (stopped !== undefined) return breakOff(stopped)
  // Imported here: it needs nothing installed itself, but reads better after what it checks is there.
  const { runChecks } = await import('./checks.mjs')
  for (const name of await runChecks()) breakOff(`check: ${name} failed`)
  await runProject('unit')
  await runProject('integration')
  if ((await run(process.execPath, ['scripts/build.mjs'])) !== 0)
    return breakOff('the build failed, so e2e did not run')
  await runProject('e2e')
}

/** Whatever stops or spoils the run beside a failing test counts as one failure, so that the last line never looks green. */
function breakOff(sentence) {
  broken.push(sentence)
  total.failed += 1
}

async function runProject(name) {
  const folder = await mkdtemp(join(tmpdir(), 'iac-test-'))
  const report = join(folder, 'report.json')
  try {
    const code = await run(vitest, [
      ...['run', '--config', 'vitest.workspace.ts', '--project', name],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ])
    count(name, code, JSON.parse(await readFile(report, 'utf8')))
  } finally {
    await rm(folder, { recursive: true })
  }
}

function count(name, code, { numPassedTests, numFailedTests, testResults }) {
  total.passed += numPassedTests
  total.failed += numFailedTests
  const unloadable = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  for (const { name: file, message } of unloadable) breakOff(`${name}: ${file} could not be loaded: ${message}`)
  if (numPassedTests + numFailedTests === 0) breakOff(`${name}: no test ran`)
  else if (code !== 0 && numFailedTests + unloadable.length === 0)
    breakOff(`${name}: vitest ended with ${code}, see above`)
}
