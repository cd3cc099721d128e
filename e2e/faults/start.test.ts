import { randomUUID } from 'node:crypto'
import { cp, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  createPoolAndKey,
  eventually,
  repositoryRoot,
  startAgent,
  startChild,
  startServer,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'

const bins = {
  server: join(repositoryRoot(), 'apps/server/bin/iac-server.js'),
  agent: join(repositoryRoot(), 'apps/agent/bin/iac-agent.js'),
}
const anyKey = { IAC_AGENT_APP_KEY: 'ak_none', IAC_AGENT_APP_SECRET: 'nothing' }

describe('a server', () => {
  it('names the port that another process has, and exits', async () => {
    await using first = await startServer()
    await using home = await temporaryDirectory()
    const { host } = new URL(first.url)
    const { exitCode, stderr } = await run('server', ['start', '--listen', host, '--data-dir', join(home.path, 'data')])
    expect(stderr).toContain(`${host}: the port is in use`)
    expect(exitCode).toBe(2)
  })

  it('names the process that has its data directory, and exits with 5', async () => {
    await using first = await startServer()
    const { exitCode, stderr } = await run('server', ['start', '--listen', '127.0.0.1:0', '--data-dir', first.dataDir])
    expect(stderr).toContain(`data directory ${first.dataDir} is in use by process ${first.child.pid}`)
    expect(exitCode).toBe(5)
  })

  it('names a data directory that cannot be written', async () => {
    await using home = await temporaryDirectory()
    const file = join(home.path, 'a-file')
    await writeFile(file, '')
    const { exitCode, stderr } = await run('server', [
      'start',
      '--listen',
      '127.0.0.1:0',
      '--data-dir',
      join(file, 'data'),
    ])
    expect(stderr).toContain(join(file, 'data'))
    expect(stderr).not.toContain('    at ')
    expect(exitCode).toBe(2)
  })

  it('does not serve plain http beyond loopback unless told to', async () => {
    await using home = await temporaryDirectory()
    const { exitCode, stderr } = await run('server', ['start', '--listen', '0.0.0.0:0', '--data-dir', home.path])
    expect(stderr).toContain('--insecure-http')
    expect(exitCode).toBe(2)
  })
})

describe('an agent', () => {
  it('waits for a server that is not there, says so, and goes on when it comes', async () => {
    await using home = await temporaryDirectory()
    await using server = await startServer()
    const { key } = await createPoolAndKey(server.client)
    await server.stop()
    const agent = startChild({
      command: [
        process.execPath,
        bins.agent,
        'start',
        '--server-url',
        server.url,
        '--data-dir',
        join(home.path, 'data'),
        '--log-format',
        'json',
      ],
      cwd: home.path,
      logFile: join(home.path, 'agent.log'),
      env: {
        PATH: process.env.PATH ?? '',
        HOME: home.path,
        IAC_AGENT_APP_KEY: key.app_key,
        IAC_AGENT_APP_SECRET: key.app_secret,
      },
    })
    await eventually('the agent says that it waits', () => /ECONNREFUSED/.test(JSON.stringify(agent.log.records)))
    await server.start()
    await agent.waitForLine('ready')
    expect(await agent.stop()).toEqual({ code: 0, signal: null })
  })

  it('names the process that has its data directory, and exits with 5', async () => {
    await using server = await startServer()
    const { key } = await createPoolAndKey(server.client)
    await using first = await startAgent({ server, key })
    const { exitCode, stderr } = await run(
      'agent',
      ['start', '--server-url', server.url, '--data-dir', first.dataDir],
      anyKey,
    )
    expect(stderr).toContain(`the data directory ${first.dataDir} is in use by process ${first.child.pid}`)
    expect(exitCode).toBe(5)
  })

  it('names a data directory that cannot be written', async () => {
    await using home = await temporaryDirectory()
    const file = join(home.path, 'a-file')
    await writeFile(file, '')
    const args = ['start', '--server-url', 'http://127.0.0.1:1', '--data-dir', join(file, 'data')]
    const { exitCode, stderr } = await run('agent', args, anyKey)
    expect(stderr).toContain(join(file, 'data'))
    expect(stderr).not.toContain('    at ')
    expect(exitCode).toBe(2)
  })

  it('exits with 3 and the sentence of the server when its key is wrong', async () => {
    await using server = await startServer()
    await using home = await temporaryDirectory()
    const args = ['start', '--server-url', server.url, '--data-dir', join(home.path, 'data')]
    const { exitCode, stderr } = await run('agent', args, anyKey)
    expect(stderr).toContain('the server refused this agent: the key pair is wrong, revoked or expired')
    expect(exitCode).toBe(3)
  })

  it('with the identity of one that lives is refused, exits with 3 and names the other', async () => {
    await using server = await startServer()
    const { key } = await createPoolAndKey(server.client)
    await using first = await startAgent({ server, key })
    await using home = await temporaryDirectory()
    const twin = join(home.path, 'data')
    await cp(first.dataDir, twin, { recursive: true, filter: (path) => !/\.(sock|lock)$/.test(path) })
    // The copy's next start is then no later one than the start that lives.
    await first.stop()
    await first.start()
    const env = { IAC_AGENT_APP_KEY: key.app_key, IAC_AGENT_APP_SECRET: key.app_secret }
    const { exitCode, stderr } = await run('agent', ['start', '--server-url', server.url, '--data-dir', twin], env)
    expect(stderr).toContain(first.agentId)
    expect(exitCode).toBe(3)
  })

  it('takes a page of HTML for a fault of the network, and goes on trying', async () => {
    let tries = 0
    await using home = await temporaryDirectory()
    await using front = await listen(
      createServer((_, response) => {
        tries += 1
        response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>Bad Gateway</h1></html>')
      }),
    )
    const agent = startChild({
      command: [
        process.execPath,
        bins.agent,
        'start',
        '--server-url',
        front.url,
        '--data-dir',
        join(home.path, 'data'),
        '--log-format',
        'json',
      ],
      cwd: home.path,
      logFile: join(home.path, 'agent.log'),
      env: { PATH: process.env.PATH ?? '', HOME: home.path, ...anyKey },
    })
    await eventually('a second try', () => tries >= 2)
    expect(JSON.stringify(agent.log.records)).toContain('502')
    expect(await agent.stop()).toEqual({ code: 0, signal: null })
  })
})

describe('doctor', () => {
  it('names a clock that is an hour off, and exits with 1', async () => {
    await using home = await temporaryDirectory()
    await using server = await startServer()
    const { key } = await createPoolAndKey(server.client)
    await using front = await listen(
      createServer((_, response) => {
        response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end('{}')
      }),
    )
    const env = { IAC_AGENT_APP_KEY: key.app_key, IAC_AGENT_APP_SECRET: key.app_secret }
    const args = ['doctor', '--json', '--server-url', front.url, '--data-dir', join(home.path, randomUUID())]
    const { exitCode, stdout } = await run('agent', args, env)
    const { checks } = JSON.parse(stdout) as { checks: { name: string; result: string; detail: string }[] }
    expect(checks.find(({ name }) => name === 'clock')).toMatchObject({
      result: 'failed',
      detail: expect.stringMatching(/this clock is 3[56]\d\d\.\d s ahead of the server's; is NTP running on both\?/),
    })
    expect(exitCode).toBe(1)
  })
})

/** To its end, with PATH, HOME and these variables only. */
async function run(name: keyof typeof bins, args: string[], env: Record<string, string> = {}) {
  await using home = await temporaryDirectory('run')
  const { exitCode, stdout, stderr } = await execa(process.execPath, [bins[name], ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: home.path, ...env },
    extendEnv: false,
    reject: false,
    timeout: 30_000,
  })
  return { exitCode, stdout, stderr }
}

async function listen(server: Server): Promise<{ url: string } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
