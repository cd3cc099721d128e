import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { Header } from 'tar'
import { describe, expect, it } from 'vitest'
import { unpackArchive } from '../../src/terraform/unpack.js'

interface Entry {
  path: string
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO'
  linkpath?: string
  content?: string
  /** Announced size, when it is not the content's. */
  size?: number
}

/** A tar.gz with exactly these headers: no library would write most of them. */
function tarGz(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath, content = '', size = content.length }) => {
    const header = new Header({ path, type, size, mode: 0o755, mtime: new Date(0), ...(linkpath ? { linkpath } : {}) })
    header.encode()
    const padded = Buffer.alloc(Math.ceil(content.length / 512) * 512)
    padded.write(content)
    return [header.block ?? Buffer.alloc(512), padded]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}

async function unpack(temporary: TemporaryDirectory, entries: readonly Entry[] | Buffer): Promise<string> {
  const file = join(temporary.path, 'archive.tar.gz')
  await writeFile(file, Buffer.isBuffer(entries) ? entries : tarGz(entries))
  const into = join(temporary.path, 'into')
  await unpackArchive({ file, into })
  return into
}

describe('unpacking', () => {
  it('brings files, directories and links that stay inside', async () => {
    await using temporary = await temporaryDirectory()
    const into = await unpack(temporary, [
      { path: './', type: 'Directory' },
      { path: './main.tf', content: 'a' },
      { path: 'modules/net/', type: 'Directory' },
      { path: 'modules/net/up', type: 'SymbolicLink', linkpath: '../../main.tf' },
      { path: 'deep/er/file', content: 'b' },
      { path: 'hard', type: 'Link', linkpath: 'main.tf' },
      { path: 'dangling', type: 'SymbolicLink', linkpath: 'not/there' },
    ])
    expect(await readFile(join(into, 'modules/net/up'), 'utf8')).toBe('a')
    expect(await readFile(join(into, 'deep/er/file'), 'utf8')).toBe('b')
    expect(await readFile(join(into, 'hard'), 'utf8')).toBe('a')
    expect(await readlink(join(into, 'dangling'))).toBe('not/there')
  })

  it.each<[string, Entry[]]>([
    ['climbs with ..', [{ path: '../evil', content: 'x' }]],
    ['climbs from within', [{ path: 'a/../../evil', content: 'x' }]],
    ['has an absolute path', [{ path: '/tmp/evil', content: 'x' }]],
    ['has a link to an absolute path', [{ path: 'l', type: 'SymbolicLink', linkpath: '/etc/passwd' }]],
    ['has a link that climbs', [{ path: 'a/l', type: 'SymbolicLink', linkpath: '../../evil' }]],
    ['has a hard link that climbs', [{ path: 'l', type: 'Link', linkpath: '../evil' }]],
    ['has a device', [{ path: 'null', type: 'CharacterDevice' }]],
    ['has a pipe', [{ path: 'pipe', type: 'FIFO' }]],
  ])('refuses an archive that %s, and leaves nothing outside', async (_, entries) => {
    await using temporary = await temporaryDirectory()
    await expect(unpack(temporary, entries)).rejects.toMatchObject({ code: 'configuration_unsafe' })
    expect((await readdir(temporary.path)).sort()).toEqual(['archive.tar.gz', 'into'])
    expect(await readdir(join(temporary.path, 'into'))).toEqual([])
  })

  it('refuses a link that only leads outside through another link', async () => {
    await using temporary = await temporaryDirectory()
    await mkdir(join(temporary.path, 'outside'))
    const entries: Entry[] = [
      { path: 'a/b/', type: 'Directory' },
      { path: 'a/b/top', type: 'SymbolicLink', linkpath: '../..' },
      { path: 'out', type: 'SymbolicLink', linkpath: 'a/b/top/../outside' },
    ]
    await expect(unpack(temporary, entries)).rejects.toMatchObject({ code: 'configuration_unsafe' })
  })

  it('does not write through a link of the same archive', async () => {
    await using temporary = await temporaryDirectory()
    const entries: Entry[] = [
      { path: 'sub/', type: 'Directory' },
      { path: 'sub/l', type: 'SymbolicLink', linkpath: '..' },
      { path: 'sub/l/written', content: 'x' },
    ]
    await unpack(temporary, entries).catch(() => undefined)
    await expect(lstat(join(temporary.path, 'into/written'))).rejects.toThrow('ENOENT')
  })

  it('refuses entries that together are larger than a configuration may be', async () => {
    await using temporary = await temporaryDirectory()
    const entries: Entry[] = [{ path: 'huge', size: 2 * 1024 ** 3 }]
    await expect(unpack(temporary, entries)).rejects.toMatchObject({ code: 'configuration_unsafe' })
  })

  it('does not unpack a bomb to its end', async () => {
    await using temporary = await temporaryDirectory()
    const content = Buffer.alloc(200 * 1024 * 1024)
    const bomb = gzipSync(Buffer.concat([Buffer.from('not a tar'), content]), { level: 1 })
    await expect(unpack(temporary, bomb)).rejects.toMatchObject({ code: 'configuration_invalid' })
    expect(await readdir(join(temporary.path, 'into'))).toEqual([])
  })

  it.each<[string, Buffer]>([
    ['is cut short', tarGz([{ path: 'f', content: randomBytes(50_000).toString('hex') }]).subarray(0, 20_000)],
    ['ends within a file', tarGz([{ path: 'f', content: 'x', size: 5000 }])],
    ['is no archive', Buffer.from('<html>proxy</html>')],
    ['has a broken header', gzipSync(Buffer.alloc(2048, 'x'))],
  ])('says so when the archive %s', async (_, bytes) => {
    await using temporary = await temporaryDirectory()
    await expect(unpack(temporary, bytes)).rejects.toMatchObject({ code: 'configuration_invalid' })
  })
})
