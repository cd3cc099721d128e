import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
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

/** A zip archive of one deflated file. */
function zip(name: string, text: string): Buffer {
  const raw = Buffer.from(text)
  const packed = deflateRawSync(raw)
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(8, 4)
  fields.writeUInt32LE(crc32(raw), 10)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(raw.length, 18)
  fields.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed])
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, Buffer.alloc(14), Buffer.from(name)])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

interface Mirror extends AsyncDisposable {
  readonly baseUrl: string
  /** Paths that were asked for. */
  readonly asked: string[]
  readonly files: Map<string, Buffer | string>
}

async function startMirror(): Promise<Mirror> {
  const files = new Map<string, Buffer | string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const file = files.get(request.url ?? '')
    response.writeHead(file === undefined ? 404 : 200, { Connection: 'close' }).end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mirror/`,
    asked,
    files,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

const arch = process.arch === 'x64' ? 'amd64' : process.arch

function publish(
  mirror: Mirror,
  engine: 'terraform' | 'tofu',
  version: string,
  changes: { archive?: Buffer; sums?: string } = {},
) {
  const name = `${engine}_${version}_linux_${arch}.zip`
  const archive = changes.archive ?? zip(engine, program(engine === 'tofu' ? 'OpenTofu' : 'Terraform', version))
  const sum = createHash('sha256').update(archive).digest('hex')
  mirror.files.set(`/mirror/${engine}/${version}/${name}`, archive)
  mirror.files.set(
    `/mirror/${engine}/${version}/${engine}_${version}_SHA256SUMS`,
    changes.sums ?? `${'0'.repeat(64)}  other.zip\n${sum}  ${name}\n`,
  )
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
    await using mirror = await startMirror()
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
    await using mirror = await startMirror()
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
      { sums: `${'a'.repeat(64)}  terraform_1.9.8_linux_${arch}.zip\n` },
      'checksum_mismatch',
    ],
    ['is not listed in SHA256SUMS', { sums: '' }, 'checksum_mismatch'],
    ['is no zip archive', { archive: Buffer.from('<html>') }, 'terraform_version_unavailable'],
    ['does not hold the program', { archive: zip('LICENSE.txt', 'x') }, 'terraform_version_unavailable'],
  ])('is not used when the download %s, and nothing of it stays', async (_, changes, code) => {
    await using temporary = await temporaryDirectory()
    await using mirror = await startMirror()
    publish(mirror, 'terraform', '1.9.8', changes)
    await expect(versionsIn(temporary, mirror).resolve('terraform', '1.9.8')).rejects.toMatchObject({ code })
    expect(await readdir(join(temporary.path, 'versions/terraform'))).toEqual([])
  })

  it('names the address that has no such version, or cannot be reached', async () => {
    await using temporary = await temporaryDirectory()
    const mirror = await startMirror()
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
