import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NewOperatorToken, NewPoolKey, Pool } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { capturePrinted, json, printed, run } from '../_util/cli.js'
import { TestServer } from '../_util/test-server.js'

capturePrinted()

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
    expect(printed.out).toMatch(/^id: pool-\w+\nname: green\ncreated_at: .*Z\n$/)
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
      expect(printed.err).toContain(sentence)
      expect(printed.err.match(/\n/g)).toHaveLength(1)
      expect(printed.out).toBe('')
    }
  })

  it('name a data directory they cannot use', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'iac-cli-'))
    await writeFile(join(dir, 'file'), '')
    expect(await run('pool', 'create', 'x', '--data-dir', join(dir, 'file', 'data'))).toBe(2)
    expect(printed.err).toContain(`data directory ${join(dir, 'file', 'data')} cannot be used`)
    await rm(dir, { recursive: true })
  })

  it('explain themselves with examples', async () => {
    expect(await run('--help')).toBe(0)
    expect(printed.out).toContain('$ iac-server key create --pool default --json')
    expect(await run('start', '--help')).toBe(0)
    expect(printed.out.replaceAll(/\s+/g, ' ')).toContain(
      '--listen <host:port> address to serve on; port 0 takes a free one (IAC_SERVER_LISTEN, default 127.0.0.1:8080)',
    )
    expect(printed.out).toContain('Examples:')
  })
})
