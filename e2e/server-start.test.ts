import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '@iac-agent/client'
import { type BuiltChild, repositoryRoot, startChild, startServer, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'

const bin = join(repositoryRoot(), 'apps/server/bin/iac-server.js')

/** `iac-server start` with nothing but the given flags and variables. */
function start(home: string, args: string[], env: Record<string, string> = {}): BuiltChild {
  return startChild({
    command: [process.execPath, bin, 'start', '--listen', '127.0.0.1:0', '--log-format', 'json', ...args],
    cwd: home,
    env: { PATH: process.env.PATH ?? '', HOME: home, ...env },
    logFile: join(home, 'server.log'),
  })
}

it.each(['server', 'agent'])('iac-%s has nothing to say to a reader that left', async (program) => {
  const path = join(repositoryRoot(), `apps/${program}/bin/iac-${program}.js`)
  // Help is longer than a pipe's reader that ends at once; the shell waits for both.
  const script = 'for i in 1 2 3; do "$0" "$1" start --help | true; done'
  expect(await execa('sh', ['-c', script, process.execPath, path])).toMatchObject({ exitCode: 0, stderr: '' })
})

describe('the first start of a server', () => {
  it("writes an admin's token that only this user reads, and later starts keep it", async () => {
    await using home = await temporaryDirectory()
    const dataDir = join(home.path, 'data')
    const first = start(home.path, ['--data-dir', dataDir])
    const ready = await first.waitForLine('ready')
    const file = join(dataDir, 'operator-token')
    expect(ready).toMatchObject({ data_dir: dataDir, operator_token_file: file })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
    const token = (await readFile(file, 'utf8')).trim()
    const { id } = await createClient({ baseUrl: String(ready.url), token }).pools.create({ body: { name: 'kept' } })
    expect(await first.stop()).toEqual({ code: 0, signal: null })
    const second = startChild({
      command: [
        process.execPath,
        bin,
        'start',
        '--listen',
        '127.0.0.1:0',
        '--log-format',
        'json',
        '--data-dir',
        dataDir,
      ],
      cwd: home.path,
      env: { PATH: process.env.PATH ?? '', HOME: home.path },
      logFile: join(home.path, 'second.log'),
    })
    const again = await second.waitForLine('ready')
    expect(again).not.toHaveProperty('operator_token_file')
    expect((await readFile(file, 'utf8')).trim()).toBe(token)
    const pools = await fetch(`${again.url}/api/v1/pools`, { headers: { authorization: `Bearer ${token}` } })
    expect(await pools.json()).toMatchObject({ items: [{ id }] })
    expect(await second.stop('SIGINT')).toEqual({ code: 0, signal: null })
  })

  it('warns about variables nobody reads, by name', async () => {
    await using home = await temporaryDirectory()
    const server = start(home.path, ['--data-dir', join(home.path, 'data')], { IAC_SERVER_LISTENN: '1' })
    await server.waitForLine('ready')
    expect(await server.waitForLine('unknown variable in the environment')).toMatchObject({
      level: 'warn',
      variable: 'IAC_SERVER_LISTENN',
    })
    await server.stop()
  })
})

describe('admin commands of the built server', () => {
  it('work beside it', async () => {
    await using server = await startServer()
    const { stdout, exitCode } = await execa(process.execPath, [
      bin,
      'pool',
      'create',
      'beside',
      '--json',
      '--data-dir',
      server.dataDir,
    ])
    expect(exitCode).toBe(0)
    const { id } = JSON.parse(stdout) as { id: string }
    const answer = await fetch(`${server.url}/api/v1/pools/${id}`, {
      headers: { authorization: `Bearer ${server.operatorToken}` },
    })
    expect(await answer.json()).toMatchObject({ id, name: 'beside' })
  })
})
