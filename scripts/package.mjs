/** `pnpm package [agent|server]`: dist/iac-<name>-<version>.tgz, installable by `npm install -g` on a machine without this checkout. */
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle, programs, root } from './bundle.mjs'
import { capture } from './run.mjs'
import { thirdPartyLicenses } from './third-party-licenses.mjs'

const named = process.argv.slice(2)
for (const name of named.length > 0 ? named : ['agent', 'server']) console.log(await pack(name, programs[name]))

/** Returns the package's path below the repository. */
async function pack(name, program) {
  const staging = await mkdtemp(join(tmpdir(), 'iac-package-'))
  try {
    const bin = `bin/iac-${name}.js`
    await mkdir(join(staging, 'bin'))
    await copyFile(join(root, program.folder, bin), join(staging, bin))
    await chmod(join(staging, bin), 0o755)
    await copyFile(join(root, 'LICENSE'), join(staging, 'LICENSE'))
    await copyFile(join(root, 'README.md'), join(staging, 'README.md'))
    const { metafile } = await bundle(program, join(staging, 'dist'))
    await writeFile(join(staging, 'THIRD-PARTY-LICENSES.txt'), await thirdPartyLicenses(metafile))
    const manifest = await manifestOf(name, program, bin)
    await writeFile(join(staging, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    await mkdir(join(root, 'dist'), { recursive: true })
    const { code, output } = await capture('npm', ['pack', staging, '--pack-destination', join(root, 'dist')])
    if (code !== 0) throw new Error(`npm pack of iac-${name} failed: ${output}`)
    return `dist/iac-${name}-${manifest.version}.tgz`
  } finally {
    await rm(staging, { recursive: true })
  }
}

/** Own packages and pure JavaScript are inside the bundle; what stays outside is pinned to the version the tests ran with. */
async function manifestOf(name, { folder, external }, bin) {
  const own = await json(join(root, folder, 'package.json'))
  const workspace = await json(join(root, 'package.json'))
  const dependencies = {}
  for (const dependency of external) {
    dependencies[dependency] = (await json(join(root, folder, 'node_modules', dependency, 'package.json'))).version
  }
  return {
    name: own.name,
    version: own.version,
    description: own.description,
    license: own.license,
    type: 'module',
    engines: workspace.engines,
    bin: { [`iac-${name}`]: bin },
    files: ['bin', 'dist', 'THIRD-PARTY-LICENSES.txt'],
    dependencies,
  }
}

async function json(path) {
  return JSON.parse(await readFile(path, 'utf8'))
}
