import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  eventually,
  type FakeServer,
  startFakeServer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runCli } from '../_util/cli.js'
import { startDaemon } from '../_util/daemon.js'

let home: TemporaryDirectory
let server: FakeServer
beforeEach(async () => {
  home = await temporaryDirectory('cli')
  server = await startFakeServer()
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const keyFiles = async () => {
  await writeFile(join(home.path, 'key'), server.key.app_key)
  await writeFile(join(home.path, 'secret'), server.key.app_secret)
  return ['--app-key-file', join(home.path, 'key'), '--app-secret-file', join(home.path, 'secret')]
}

it('shows version and protocol', async () => {
  expect(await runCli('version')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^iac-agent \d+\.\d+\.\d+\S* \(protocol 1/) as string,
  })
  const { stdout } = await runCli('version', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ protocol_version: 1 })
})

it.each(['start', 'status', 'drain', 'doctor', 'version'])('explains %s with examples', async (command) => {
  const { code, stdout } = await runCli(command, '--help')
  expect(code).toBe(0)
  expect(stdout).toContain('Examples:')
})

it.each([
  [['nonsense'], /unknown command/],
  [['start', '--nonsense'], /unknown option/],
  [['start', '--server-url', 'nowhere'], /--server-url/],
  [['start', '--server-url', 'https://x', '--plan-limit', 'many'], /--plan-limit/],
])('answers %j with exit code 2 and a sentence', async (args, sentence) => {
  const { code, stderr } = await runCli(...args)
  expect(code).toBe(2)
  expect(stderr).toMatch(sentence)
})

it('shows what a running daemon does, and drains it', async () => {
  await using daemon = await startDaemon({ server, dataDir: join(home.path, 'data') })
  await server.message('heartbeat')
  const flags = ['--data-dir', join(home.path, 'data')]
  const { code, stdout } = await runCli('status', ...flags)
  expect(code).toBe(0)
  expect(stdout).toMatch(/pid \d+: serving\nserver .+: connected\nrunning +0 of 3 plans, no apply\n/)
  expect(JSON.parse((await runCli('status', ...flags, '--json')).stdout)).toMatchObject({
    phase: 'serving',
    attempts: [],
  })
  expect(await runCli('drain', ...flags, '--no-wait')).toMatchObject({ code: 0, stdout: 'nothing runs, ending\n' })
  expect(await daemon.ended).toBe(0)
})

it('says with exit code 1 that no daemon answers', async () => {
  for (const command of [['status'], ['drain'], ['drain', '--wait']]) {
    const { code, stderr } = await runCli(...command, '--data-dir', home.path)
    expect(code).toBe(1)
    expect(stderr).toContain(`no iac-agent answers in ${home.path}`)
  }
})

it('lets doctor speak JSON and exit with 1 when a check failed', async () => {
  const flags = ['--data-dir', home.path, ...(await keyFiles())]
  const good = await runCli('doctor', '--json', '--server-url', server.url, ...flags)
  expect(JSON.parse(good.stdout)).toMatchObject({ ok: true })
  expect(good.code).toBe(0)
  const bad = await runCli('doctor', '--server-url', 'http://127.0.0.1:9', ...flags)
  expect(bad.code).toBe(1)
  expect(bad.stdout).toMatch(/^failed +tcp /m)
  expect(bad.stderr).toContain('failed: tcp')
})

it('runs start from files and flags until it is drained', async () => {
  const flags = ['--data-dir', join(home.path, 'data')]
  const ended = runCli('start', '--server-url', server.url, '--log-level', 'silent', ...flags, ...(await keyFiles()))
  await server.message('heartbeat')
  await eventually('registration', () => server.registered.length === 1)
  process.emit('SIGTERM')
  expect(await ended).toEqual({ code: 0, stdout: '', stderr: '' })
})
