import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { ConfigurationAnswer, Workspace } from '@iac-agent/protocol'
import { limits } from '@iac-agent/protocol'
import { Header, list, type ReadEntry } from 'tar'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBlob } from '../../src/store/blobs.js'
import { adminToken, TestServer } from '../_util/test-server.js'

interface Entry {
  path: string
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'BlockDevice' | 'FIFO'
  linkpath?: string
  text?: string
  /** what the header says, when it is not the text's */
  size?: number
}

/** A tar written header by header: a packer would refuse most of these. */
function tarOf(entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath, text = '', size }) => {
    const header = new Header({ path, type, mode: 0o644, size: size ?? Buffer.byteLength(text), mtime: new Date(0) })
    if (linkpath !== undefined) header.linkpath = linkpath
    header.encode()
    const bytes = Buffer.from(text)
    return [header.block ?? Buffer.alloc(512), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.createWorkspace((await server.createPool()).id, {}, 'tree')
})
afterAll(() => server[Symbol.asyncDispose]())

const path = '/api/v1/workspaces/name:tree/configuration'
const headers = { 'content-type': 'application/gzip' }
const put = (entries: Entry[]) =>
  server.ok<ConfigurationAnswer>('PUT', path, { headers, body: gzipSync(tarOf(entries)) })
const refuse = (entries: Entry[]) => server.refused('PUT', path, { headers, body: gzipSync(tarOf(entries)) })

async function stored(answer: ConfigurationAnswer): Promise<Record<string, string>> {
  const bytes = await readBlob(server.store, answer.sha256)
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(answer.sha256)
  const found: Record<string, string> = {}
  const parser = list({
    onReadEntry: (entry: ReadEntry) => {
      found[entry.path] = entry.type === 'SymbolicLink' ? `-> ${entry.linkpath}` : ''
      entry.on('data', (chunk: Buffer) => {
        found[entry.path] += chunk.toString()
      })
    },
  })
  const ended = new Promise((resolve) => parser.on('end', resolve))
  parser.end(bytes)
  await ended
  return found
}

describe('an uploaded tree', () => {
  it('is kept as it is: files, folders, links inside', async () => {
    const answer = await put([
      { path: './', type: 'Directory' },
      { path: './main.tf', text: 'resource "terraform_data" "a" {}' },
      { path: 'modules/net/', type: 'Directory' },
      { path: 'modules/net/main.tf', text: '# net' },
      { path: 'envs/prod/shared', type: 'SymbolicLink', linkpath: '../../modules/net' },
    ])
    expect(answer).toMatchObject({ skipped: [] })
    expect(await stored(answer)).toEqual({
      'main.tf': 'resource "terraform_data" "a" {}',
      'modules/net/': '',
      'modules/net/main.tf': '# net',
      'envs/prod/shared': '-> ../../modules/net',
    })
    expect((await server.ok<Workspace>('GET', '/api/v1/workspaces/name:tree')).configuration_id).toBe(answer.id)
  })

  it('may be a plain tar, and the same tree has the same hash', async () => {
    const tree = [{ path: 'main.tf', text: '# same' }]
    const packed = await put(tree)
    const plain = await server.ok<ConfigurationAnswer>('PUT', path, {
      headers: { 'content-type': 'application/x-tar' },
      body: tarOf(tree),
    })
    expect(plain.sha256).toBe(packed.sha256)
    expect(plain.id).not.toBe(packed.id)
  })

  it('loses history, caches and states, with a note, and keeps the lock file', async () => {
    const answer = await put([
      { path: '.git/HEAD', text: 'ref' },
      { path: '.git/config', text: 'url' },
      { path: 'env/.terraform/providers/x', text: 'binary' },
      { path: 'terraform.tfstate', text: '{}' },
      { path: 'terraform.tfstate.backup', text: '{}' },
      { path: '.terraform.lock.hcl', text: '# lock' },
      { path: '.gitignore', text: 'x' },
    ])
    expect(answer.skipped).toEqual(['.git', 'env/.terraform', 'terraform.tfstate', 'terraform.tfstate.backup'])
    expect(Object.keys(await stored(answer))).toEqual(['.terraform.lock.hcl', '.gitignore'])
  })

  it('may have entries with long names and many bytes', async () => {
    const name = `${'deep/'.repeat(19)}main.tf`
    const text = 'x'.repeat(3 * 1024 * 1024)
    expect(await stored(await put([{ path: name, text }]))).toEqual({ [name]: text })
  })
})

describe('an attack is refused naming the entry', () => {
  const file = { path: 'main.tf', text: '# fine' }
  it.each<[string, Entry[], string]>([
    ['../', [file, { path: '../evil.tf', text: 'x' }], '../evil.tf'],
    ['../ in the middle', [{ path: 'a/../../evil.tf', text: 'x' }], 'a/../../evil.tf'],
    ['an absolute path', [{ path: '/etc/cron.d/evil', text: 'x' }], '/etc/cron.d/evil'],
    ['an absolute link', [{ path: 'l', type: 'SymbolicLink', linkpath: '/etc/passwd' }], 'l'],
    ['an outward link', [{ path: 'a/l', type: 'SymbolicLink', linkpath: '../../etc' }], 'a/l'],
    [
      'links that lead outside only together',
      [
        { path: 'deep/er/up', type: 'SymbolicLink', linkpath: '../..' },
        { path: 'out', type: 'SymbolicLink', linkpath: 'deep/er/up/..' },
      ],
      'out',
    ],
    [
      'a file written through a link',
      [
        { path: 'l', type: 'SymbolicLink', linkpath: 'modules' },
        { path: 'l/evil.tf', text: 'x' },
      ],
      'l',
    ],
    [
      'links in a circle',
      [
        { path: 'a', type: 'SymbolicLink', linkpath: 'b' },
        { path: 'b', type: 'SymbolicLink', linkpath: 'a' },
      ],
      'a',
    ],
    ['an outward hard link', [{ path: 'h', type: 'Link', linkpath: '../../etc/passwd' }], 'h'],
    ['a hard link to nothing', [{ path: 'h', type: 'Link', linkpath: 'later.tf' }], 'h'],
    ['a character device', [{ path: 'null', type: 'CharacterDevice' }], 'null'],
    ['a block device', [{ path: 'sda', type: 'BlockDevice' }], 'sda'],
    ['a fifo', [file, { path: 'pipe', type: 'FIFO' }], 'pipe'],
  ])('%s', async (_title, entries, entry) => {
    const before = await server.ok<Workspace>('GET', '/api/v1/workspaces/name:tree')
    const refused = await refuse(entries)
    expect(refused).toMatchObject({ status: 400, code: 'invalid_request', details: { entry } })
    expect(refused.message).toContain(JSON.stringify(entry))
    expect(await server.ok('GET', '/api/v1/workspaces/name:tree')).toEqual(before)
  })
})

describe('a configuration that is no whole archive', () => {
  const tree = gzipSync(tarOf([{ path: 'main.tf', text: 'x'.repeat(100_000) }]), { level: 0 })
  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('resource "a" "b" {}\n'.repeat(100))],
    ['packed text', gzipSync(Buffer.from('resource "a" "b" {}\n'.repeat(100)))],
    ['torn gzip', tree.subarray(0, 50_000)],
    ['a torn tar', gzipSync(tarOf([{ path: 'main.tf', text: 'x'.repeat(5_000) }]).subarray(0, 3_000))],
  ])('(%s) is 400', async (_title, body) => {
    expect(await server.refused('PUT', path, { headers, body })).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  it('leaves nothing in the store', async () => {
    const count = () => server.store.read((reader) => reader.db.selectFrom('blob_uploads').select('id').execute())
    await server.refused('PUT', path, { headers, body: tree.subarray(0, 90_000) })
    expect(await count()).toEqual([])
  })
})

describe('a configuration beyond its bounds is 413', () => {
  it('by what its headers claim', async () => {
    const size = limits.configurationUnpackedBytes + 1
    expect(await refuse([{ path: 'large.bin', size }])).toMatchObject({ status: 413, code: 'too_large' })
  })

  it('by the number of its entries', async () => {
    const one = tarOf([{ path: 'a' }]).subarray(0, 512)
    const many = Buffer.concat([
      ...Array.from({ length: limits.configurationEntries + 1 }, () => one),
      Buffer.alloc(1024),
    ])
    const refused = await server.refused('PUT', path, { headers, body: gzipSync(many) })
    expect(refused).toMatchObject({ code: 'too_large', details: { limit_entries: limits.configurationEntries } })
  })

  it('by what it goes on to send: after the refusal an endless sender is cut off', async () => {
    const sender = request(`${server.url}${path}`, {
      method: 'PUT',
      headers: { ...headers, authorization: `Bearer ${adminToken}` },
    })
    const closed = new Promise<void>((resolve) => sender.on('close', () => resolve()))
    const status = new Promise((resolve) => sender.on('response', (answer) => resolve(answer.resume().statusCode)))
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => sender.on('error', resolve))
    const send = () => {
      while (!sender.destroyed && sender.write(Buffer.alloc(1024 * 1024, 0x20)));
      sender.once('drain', send)
    }
    send()
    expect(await status).toBe(400)
    await closed
    expect((await failed).code).toMatch(/ECONNRESET|EPIPE/)
  })
})
