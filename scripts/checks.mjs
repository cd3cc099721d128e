/** The checks of `pnpm check`: types, lint, dead code, import zones and cycles, file length; every finding of all five is shown. */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { capture } from './run.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const longestFile = 250

/** Returns the names of the checks that failed. */
export async function runChecks() {
  const checks = [
    ['types', () => tool('tsc', ['-b'])],
    ['lint', () => tool('biome', ['ci', '.', '--colors=off', '--error-on-warnings'])],
    ['dead code', () => tool('knip', ['--no-progress', '--treat-config-hints-as-errors'])],
    ['import zones', () => tool('depcruise', ['--output-type', 'err', 'apps', 'packages', 'demo', 'e2e', 'bench'])],
    ['file length', fileLength],
  ]
  const failed = []
  const next = checks.values()
  const worker = async () => {
    for (const [name, body] of next) {
      const startedAt = performance.now()
      const { code, output } = await body()
      console.log(`check: ${name} ${code === 0 ? 'ok' : 'FAILED'} (${Math.round(performance.now() - startedAt)} ms)`)
      if (code === 0) continue
      console.log(output.trimEnd())
      failed.push(name)
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker))
  return failed
}

const tool = (name, args) => capture(join(root, 'node_modules', '.bin', name), args)

async function fileLength() {
  const { output } = await capture('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  const sources = output.split('\n').filter((path) => /\.(ts|mjs|js|sh)$/.test(path))
  const tooLong = []
  for (const path of sources) {
    const lines = (await readFile(join(root, path), 'utf8').catch(ignoreDeleted)).split('\n').length - 1
    if (lines > longestFile) tooLong.push(`${path}: ${lines} lines, ${longestFile} are allowed`)
  }
  return { code: tooLong.length === 0 ? 0 : 1, output: tooLong.join('\n') }
}

/** Git still lists a file that was deleted and not yet committed. */
function ignoreDeleted(error) {
  if (error.code === 'ENOENT') return ''
  throw error
}
