import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NewOperatorToken, NewPoolKey, Pool } from '@iac-agent/protocol'
import { runProgram } from '@iac-agent/runtime'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { serverProgram } from '../../src/cli/program.js'
import { TestServer } from '../_util/test-server.js'

let out = ''
let err = ''
beforeEach(() => {
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

/** Runs the command line in this process; what it prints is the answer. */
async function run(...argv: string[]): Promise<number> {
  out = ''
  err = ''
  return runProgram(serverProgram(), ['node', 'iac-server', ...argv])
}

async function json<T>(...argv: string[]): Promise<T> {
  expect(await run(...argv, '--json'), err).toBe(0)
  return JSON.parse(out) as T
}

describe('admin commands beside a running server', () => {
  it('make pool, key and token that the server knows at once', async () => {
    await using server = await TestServer.start()
    const data = ['--data-dir', server.dataDir]
    const pool = await json<Pool>('pool', 'create', 'blue', ...data)
    expect((await server.ok<{ items: Pool[] }>('GET', '/api/v1/pools')).items).toEqual([pool])
    const key = await json<NewPoolKey>('key', 'create', '--pool', 'blue', '--expires-in-days', '7', ...data)
    const headers = { 'x-app-key': key.app_key, 'x-app-secret': key.app_secret }
    expect(await server.refused('GET', '/api/v1/agents/none/cc-status', { token: null, headers })).toMatchObject({
      status: 404,
    })
    const token = await json<NewOperatorToken>('token', 'create', 'ci', '--role', 'read_only', ...data)
    await server.ok('GET', '/api/v1/pools', { token: token.token })
    expect(await server.refused('POST', '/api/v1/pools', { token: token.token, body: { name: 'x' } })).toMatchObject({
      code: 'forbidden',
    })
  })

  it('print lines for people without --json', async () => {
    await using server = await TestServer.start()
    expect(await run('pool', 'create', 'green', '--data-dir', server.dataDir)).toBe(0)
    expect(out).toMatch(/^id: pool-\w+\nname: green\ncreated_at: .*Z\n$/)
  })

  it('refuse in one sentence with exit code 2', async () => {
    await using server = await TestServer.start()
    const data = ['--data-dir', server.dataDir]
    await server.createPool('blue')
    for (const [argv, sentence] of [
      [['pool', 'create', 'blue'], 'a pool named blue exists'],
      [['pool', 'create', 'bad name'], '"bad name" is not a name'],
      [['key', 'create', '--pool', 'none'], 'pool none does not exist'],
      [['key', 'create', '--pool', 'blue', '--expires-in-days', '0'], '"0" is not a whole number from 1 to 3650'],
      [['token', 'create', 'x', '--role', 'god'], '--role: "god" is not one of admin, operator, read_only'],
    ] as const) {
      expect(await run(...argv, ...data), sentence).toBe(2)
      expect(err).toContain(sentence)
      expect(err.match(/\n/g)).toHaveLength(1)
      expect(out).toBe('')
    }
  })

  it('name a data directory they cannot use', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'iac-cli-'))
    await writeFile(join(dir, 'file'), '')
    expect(await run('pool', 'create', 'x', '--data-dir', join(dir, 'file', 'data'))).toBe(2)
    expect(err).toContain(`data directory ${join(dir, 'file', 'data')} cannot be used`)
    await rm(dir, { recursive: true })
  })

  it('explain themselves with examples', async () => {
    expect(await run('--help')).toBe(0)
    expect(out).toContain('$ iac-server key create --pool default --json')
    expect(await run('start', '--help')).toBe(0)
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      '--listen <host:port> address to serve on; port 0 takes a free one (IAC_SERVER_LISTEN, default 127.0.0.1:8080)',
    )
    expect(out).toContain('Examples:')
  })
})
