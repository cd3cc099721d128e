import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ReleaseMirror,
  releaseArch,
  startReleaseMirror,
  type TemporaryDirectory,
  temporaryDirectory,
  zipOf,
} from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { type VersionSources, Versions } from '../../src/terraform/versions.js'

/** A program that says what terraform or tofu says of itself. */
const program = (name: 'Terraform' | 'OpenTofu', version: string) =>
  `#!/bin/sh\necho '${name} v${version}'\necho 'on linux_amd64'\n`

async function install(directory: string, name: string, text: string): Promise<string> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, name)
  await writeFile(path, text)
  await chmod(path, 0o755)
  return path
}

type Mirror = ReleaseMirror

function publish(mirror: Mirror, engine: 'terraform' | 'tofu', version: string, instead = {}) {
  mirror.publish(engine, version, program(engine === 'tofu' ? 'OpenTofu' : 'Terraform', version), instead)
}

function versionsIn(temporary: TemporaryDirectory, mirror?: Mirror, more: Partial<VersionSources> = {}): Versions {
  return new Versions({
    searchPath: `${join(temporary.path, 'bin')}:/usr/bin:/bin`,
    cacheDir: join(temporary.path, 'versions'),
    ...(mirror === undefined ? { mayDownload: false } : { releases: { baseUrl: mirror.baseUrl } }),
    ...more,
  })
}

describe('the version of terraform', () => {
  it('is the one on PATH when it fits', async () => {
    await using temporary = await temporaryDirectory()
    const path = await install(join(temporary.path, 'bin'), 'terraform', program('Terraform', '1.9.8'))
    const versions = versionsIn(temporary)
    for (const constraint of [undefined, null, '', '~> 1.9', '1.9.8']) {
      expect(await versions.resolve('terraform', constraint)).toEqual({
        engine: 'terraform',
        version: '1.9.8',
        program: path,
      })
    }
  })

  it('is asked again when the program on PATH was replaced', async () => {
    await using temporary = await temporaryDirectory()
    const versions = versionsIn(temporary)
    await install(join(temporary.path, 'bin'), 'terraform', program('Terraform', '1.9.8'))
    await versions.resolve('terraform')
    await install(join(temporary.path, 'bin'), 'terraform', program('Terraform', '1.10.12'))
    expect((await versions.resolve('terraform')).version).toBe('1.10.12')
  })

  it('is the configured one before PATH, and never the other engine', async () => {
    await using temporary = await temporaryDirectory()
    await install(join(temporary.path, 'bin'), 'terraform', program('Terraform', '1.9.8'))
    const terraformPath = await install(join(temporary.path, 'opt'), 'my-tofu', program('OpenTofu', '1.10.1'))
    const versions = versionsIn(temporary, undefined, { terraformPath })
    expect(await versions.resolve('tofu')).toMatchObject({ program: terraformPath, version: '1.10.1' })
    await expect(versions.resolve('terraform')).rejects.toMatchObject({ code: 'terraform_not_found' })
  })

  it('is downloaded once when PATH does not fit, and then taken from the cache, by ranges too', async () => {
    await using temporary = await temporaryDirectory()
    await using mirror = await startReleaseMirror()
    await install(join(temporary.path, 'bin'), 'terraform', program('Terraform', '1.5.0'))
    publish(mirror, 'terraform', '1.9.8')
    const versions = versionsIn(temporary, mirror)
    const found = await Promise.all(
      ['1.9.8', '= 1.9.8', '1.9.8'].map((constraint) => versions.resolve('terraform', constraint)),
    )
    const path = join(temporary.path, 'versions/terraform/1.9.8/terraform')
    expect(found).toEqual(Array(3).fill({ engine: 'terraform', version: '1.9.8', program: path }))
    expect(mirror.asked).toHaveLength(2)
    expect((await versionsIn(temporary).resolve('terraform', '~> 1.9.1')).program).toBe(path)
    expect(await readdir(join(temporary.path, 'versions/terraform'))).toEqual(['1.9.8'])
    const again = new Versions({ terraformPath: path, searchPath: '/bin', cacheDir: '/nowhere', mayDownload: false })
    expect((await again.resolve('terraform')).version).toBe('1.9.8')
  })

  it('is the newest published one of a range', async () => {
    await using temporary = await temporaryDirectory()
    await using mirror = await startReleaseMirror()
    mirror.files.set(
      '/mirror/tofu/index.json',
      '{"versions":{"1.9.9":{},"1.10.0":{},"1.10.2":{},"1.11.0-rc1":{},"2.0.0":{}}}',
    )
    publish(mirror, 'tofu', '1.10.2')
    expect(await versionsIn(temporary, mirror).resolve('tofu', '~> 1.9')).toMatchObject({
      engine: 'tofu',
      version: '1.10.2',
    })
  })

  it.each<[string, { archive?: Buffer; sums?: string }, string]>([
    [
      'has another SHA-256 than SHA256SUMS says',
      { sums: `${'a'.repeat(64)}  terraform_1.9.8_linux_${releaseArch}.zip\n` },
      'checksum_mismatch',
    ],
    ['is not listed in SHA256SUMS', { sums: '' }, 'checksum_mismatch'],
    ['is no zip archive', { archive: Buffer.from('<html>') }, 'terraform_version_unavailable'],
    ['does not hold the program', { archive: zipOf('LICENSE.txt', 'x') }, 'terraform_version_unavailable'],
  ])('is not used when the download %s, and nothing of it stays', async (_, changes, code) => {
    await using temporary = await temporaryDirectory()
    await using mirror = await startReleaseMirror()
    publish(mirror, 'terraform', '1.9.8', changes)
    await expect(versionsIn(temporary, mirror).resolve('terraform', '1.9.8')).rejects.toMatchObject({ code })
    expect(await readdir(join(temporary.path, 'versions/terraform'))).toEqual([])
  })

  it('names the address that has no such version, or cannot be reached', async () => {
    await using temporary = await temporaryDirectory()
    const mirror = await startReleaseMirror()
    const versions = versionsIn(temporary, mirror)
    await expect(versions.resolve('terraform', '9.9.9')).rejects.toThrow(/SHA256SUMS answered 404/)
    await mirror[Symbol.asyncDispose]()
    await expect(versions.resolve('terraform', '9.9.9')).rejects.toThrow(/cannot be reached: connect ECONNREFUSED/)
  })

  it('says what was found and what is needed when nothing may be downloaded', async () => {
    await using temporary = await temporaryDirectory()
    const versions = versionsIn(temporary)
    await expect(versions.resolve('terraform')).rejects.toThrow('needs any terraform: no terraform was found')
    await install(join(temporary.path, 'bin'), 'terraform', program('Terraform', '1.5.0'))
    await expect(versions.resolve('terraform', '~> 1.9')).rejects.toThrow(
      'needs terraform ~> 1.9: the terraform found is 1.5.0',
    )
  })

  it('cannot be chosen by something that is no constraint', async () => {
    await using temporary = await temporaryDirectory()
    const refused = versionsIn(temporary).resolve('terraform', '../../evil')
    await expect(refused).rejects.toMatchObject({ code: 'terraform_version_unavailable' })
  })
})
