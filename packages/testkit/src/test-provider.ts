/** Lays out the test provider as a filesystem mirror, so that init, its cache and provider errors are tested without a registry. */
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CloudObject } from './provider/cloud.js'
import { repositoryRoot } from './repository-root.js'

/** A mirror on disk and the cloud its provider works on. */
export interface TestProvider {
  /** For TF_CLI_CONFIG_FILE, or the agent's --terraform-cli-config. */
  cliConfigFile: string
  source: string
  version: string
  /** Give it to the provider as `directory`. */
  cloudDirectory: string
  /** A `terraform` and a `provider` block that use it, for the head of a configuration. */
  configurationHead: string
  /** While this file exists, the provider does not begin to serve terraform. */
  holdFile: string
  /** What exists in the cloud, orphans and half-made objects included, sorted by name. */
  objects(): Promise<CloudObject[]>
  /** Removes every object behind terraform's back. */
  clear(): Promise<void>
}

const source = 'example.test/iac/cloud'
const version = '1.0.0'

/** Bundles the provider with esbuild into `directory` (which exists). Starting it costs what starting Node costs. */
export async function layOutTestProvider(directory: string): Promise<TestProvider> {
  const { build } = await import('esbuild')
  const target = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`
  const home = join(directory, 'mirror', source, version, target)
  await mkdir(home, { recursive: true })
  const sources = join(repositoryRoot(), 'packages/testkit/src/provider')
  await build({
    entryPoints: [join(sources, 'main.ts')],
    outfile: join(home, 'provider.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minifySyntax: true,
    logLevel: 'error',
  })
  for (const file of ['provider.proto', 'plugin.proto']) await copyFile(join(sources, file), join(home, file))
  const program = join(home, `terraform-provider-cloud_v${version}`)
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' "\${0%/*}/provider.cjs"\n`)
  await chmod(program, 0o755)
  const cliConfigFile = join(directory, 'terraformrc')
  await writeFile(cliConfigFile, cliConfig(join(directory, 'mirror')))
  const cloudDirectory = join(directory, 'cloud')
  const holdFile = join(directory, 'hold')
  const configurationHead = head({ directory: cloudDirectory, hold_file: holdFile })
  return { cliConfigFile, source, version, cloudDirectory, configurationHead, holdFile, objects, clear }

  async function objects(): Promise<CloudObject[]> {
    const files = await readdir(cloudDirectory).catch(orNothing)
    const texts = await Promise.all(files.map((file) => readFile(join(cloudDirectory, file), 'utf8')))
    return texts.map((text) => JSON.parse(text) as CloudObject).sort((a, b) => a.name.localeCompare(b.name))
  }

  async function clear(): Promise<void> {
    await rm(cloudDirectory, { recursive: true, force: true })
  }
}

function cliConfig(mirror: string): string {
  return [
    'disable_checkpoint = true',
    'provider_installation {',
    `  filesystem_mirror { path = ${JSON.stringify(mirror)} }`,
    '}',
    '',
  ].join('\n')
}

function head(settings: Record<string, string>): string {
  return [
    'terraform {',
    '  required_providers {',
    `    cloud = { source = "${source}", version = "${version}" }`,
    '  }',
    '}',
    'provider "cloud" {',
    ...Object.entries(settings).map(([name, value]) => `  ${name} = ${JSON.stringify(value)}`),
    '}',
    '',
  ].join('\n')
}

/** A cloud nobody wrote to yet has no directory. */
function orNothing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}
