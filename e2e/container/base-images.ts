/** The images to build on: the official Node ones, or, where no registry answers, Debian and Node put together here. */
import { chmod, copyFile, cp, mkdir, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { program, succeed } from './command.js'
import type { Engine } from './engine.js'

const official = { build: 'node:22-bookworm', base: 'node:22-bookworm-slim' }
const local = { build: 'localhost/iac-test-build:1', base: 'localhost/iac-test-base:1' }

/** What the Dockerfiles take as BUILD_IMAGE and BASE_IMAGE. */
export interface BaseImages {
  build: string
  base: string
}

/** Images that are here, or can be had, or have been made now. */
export async function baseImages(engine: Engine): Promise<BaseImages> {
  if ((await engine.has(official.base)) && (await engine.has(official.build))) return official
  if (!(await engine.has(local.base))) await makeBase(engine)
  if (!(await engine.has(local.build))) await makeBuild(engine)
  return local
}

async function makeBase(engine: Engine): Promise<void> {
  await needDebootstrap()
  await using folder = await temporaryDirectory('base')
  const rootfs = join(folder.path, 'rootfs')
  await succeed('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', rootfs])
  await succeed('rm', ['-rf', join(rootfs, 'var/cache/apt/archives'), join(rootfs, 'var/lib/apt/lists')])
  await installNode(folder.path, join(rootfs, 'usr/local'))
  await trustTheSameAuthorities(rootfs)
  await succeed('tar', ['-C', rootfs, '-cf', join(folder.path, 'rootfs.tar'), '.'])
  await succeed('rm', ['-rf', rootfs])
  await build(engine, folder.path, local.base, [
    'FROM scratch',
    'ADD rootfs.tar /',
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/host-authorities.crt',
  ])
}

async function makeBuild(engine: Engine): Promise<void> {
  await using folder = await temporaryDirectory('build')
  await build(engine, folder.path, local.build, [
    `FROM ${local.base}`,
    'RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3',
    'ENV npm_config_nodedir=/usr/local npm_config_cafile=/etc/ssl/host-authorities.crt',
  ])
}

async function build(engine: Engine, context: string, image: string, lines: string[]): Promise<void> {
  const dockerfile = join(context, 'Dockerfile')
  await writeFile(dockerfile, `${lines.join('\n')}\n`)
  await engine.build({ dockerfile, context, image })
}

async function needDebootstrap(): Promise<void> {
  if ((await program('debootstrap', ['--version'])).code === 0) return
  throw new Error(
    'No registry answers for the official Node images, and debootstrap, which would make a base here, is missing: `apt-get install debootstrap` (and be root).',
  )
}

/** Node comes from its npm package, npm itself from this machine. */
async function installNode(scratch: string, usrLocal: string): Promise<void> {
  const packed = `node-linux-${process.arch}`
  await succeed('npm', ['pack', `${packed}@22`, '--pack-destination', scratch, '--silent'])
  const [archive] = (await succeed('find', [scratch, '-maxdepth', '1', '-name', `${packed}-*.tgz`])).split('\n')
  if (archive === undefined) throw new Error(`npm pack ${packed} left no archive`)
  await succeed('tar', ['-C', usrLocal, '-xzf', archive, '--strip-components=1', 'package/bin', 'package/include'])
  await chmod(join(usrLocal, 'bin/node'), 0o755)
  const npm = join(usrLocal, 'lib/node_modules/npm')
  await mkdir(join(usrLocal, 'lib/node_modules'), { recursive: true })
  await cp(await realpath(join((await succeed('npm', ['root', '--global'])).trim(), 'npm')), npm, { recursive: true })
  for (const name of ['npm', 'npx']) {
    await succeed('ln', ['-s', `../lib/node_modules/npm/bin/${name}-cli.js`, join(usrLocal, 'bin', name)])
  }
}

/** RUN steps reach the package registries that this machine reaches. */
async function trustTheSameAuthorities(rootfs: string): Promise<void> {
  await copyFile('/etc/ssl/certs/ca-certificates.crt', join(rootfs, 'etc/ssl/host-authorities.crt'))
}
