/** Installs the lockfile's dependencies with pnpm at its pinned version; that nothing is to do is found out without pnpm. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingPrerequisites } from './prerequisites.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const stampPath = join(root, 'node_modules', '.installed-for')

/** Returns the sentences that say what stopped it, or undefined. */
export function install() {
  const wanted = fingerprint()
  const upToDate = installedFor() === wanted
  const missing = missingPrerequisites({ compiler: !upToDate })
  if (missing.length > 0) return missing.join('\n')
  if (upToDate) return undefined

  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  console.error(`install: ${packageManager}; the first time this builds SQLite, about a minute`)
  const { status, error } = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, CI: 'true' },
  })
  if (status !== 0)
    return `${packageManager} install failed${error ? ` (${error.message})` : ''}; the lines above say why.`
  writeFileSync(stampPath, wanted)
  return undefined
}

/** Changes with the lockfile and with the Node that native addons were built for. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.arch} ${process.versions.modules}`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function installedFor() {
  try {
    return readFileSync(stampPath, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
