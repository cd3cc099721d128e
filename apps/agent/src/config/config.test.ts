import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readConfig } from './config.js'
import { startIdentity } from './identity.js'

let home: TemporaryDirectory
beforeEach(async () => {
  home = await temporaryDirectory('config')
})
afterEach(async () => await home[Symbol.asyncDispose]())

const needed = { IAC_AGENT_SERVER_URL: 'https://iac.example.com', IAC_AGENT_APP_KEY: 'k', IAC_AGENT_APP_SECRET: 's' }

it('has a default for everything but server and key', async () => {
  const config = await readConfig({}, { ...needed, XDG_STATE_HOME: home.path, HTTPS_PROXY: 'http://proxy:3128' })
  expect(config).toMatchObject({
    planLimit: 3,
    labels: {},
    passEnv: [],
    onTerm: 'drain',
    termGraceMs: 25_000,
    cancelGraceMs: 10_000,
    logLevel: 'info',
    network: { httpsProxy: 'http://proxy:3128' },
  })
  expect(config.workRoot).toBe(join(config.dataDir, 'work'))
})

it.each([
  [{ IAC_AGENT_SERVER_URL: '' }, '--server-url: is needed'],
  [{ IAC_AGENT_APP_SECRET: '' }, 'IAC_AGENT_APP_SECRET'],
  [{ IAC_AGENT_SERVER_URL: 'ftp://x' }, 'IAC_AGENT_SERVER_URL'],
  [{ IAC_AGENT_SERVER_URL: 'http://iac.example.com' }, '--insecure-http'],
  [{ IAC_AGENT_PLAN_LIMIT: '0' }, 'IAC_AGENT_PLAN_LIMIT'],
  [{ IAC_AGENT_TERM_GRACE: '5' }, 'IAC_AGENT_TERM_GRACE'],
  [{ IAC_AGENT_ON_TERM: 'die' }, 'drain, cancel'],
  [{ IAC_AGENT_CA_FILE: '/nowhere/ca.pem' }, '--ca-file'],
  [{ IAC_AGENT_TERRAFORM_CLI_CONFIG: '/nowhere/terraformrc' }, '--terraform-cli-config'],
])('names the setting that is wrong: %o', async (env, named) => {
  await expect(readConfig({}, { ...needed, ...env })).rejects.toMatchObject({
    code: 'invalid_setting',
    message: expect.stringContaining(named) as string,
  })
})

it('takes plain http on loopback, and elsewhere when told so', async () => {
  for (const url of ['http://127.0.0.1:8080', 'http://localhost:8080', 'http://[::1]:8080']) {
    expect((await readConfig({ serverUrl: url }, needed)).serverUrl.href).toContain('http:')
  }
  await readConfig({ serverUrl: 'http://iac.example.com', insecureHttp: true }, needed)
})

it('reads secrets from files and never prints them', async () => {
  await writeFile(join(home.path, 'secret'), 'hush\n')
  const env = { ...needed, IAC_AGENT_APP_SECRET: undefined, IAC_AGENT_APP_SECRET_FILE: join(home.path, 'secret') }
  const config = await readConfig({}, env)
  expect(config.appSecret.current.reveal()).toBe('hush')
  expect(JSON.stringify(config.appSecret)).not.toContain('hush')
})

it('is the same agent at each start, and counts the starts', async () => {
  const path = join(home.path, 'agent.json')
  const first = await startIdentity(path)
  const second = await startIdentity(path)
  expect(second.agentId).toBe(first.agentId)
  expect([first.bootEpoch, second.bootEpoch]).toEqual([1, 2])
  expect(second.instanceId).not.toBe(first.instanceId)
})

it('has a secret of its own that it never prints, made for an identity that has none yet', async () => {
  const path = join(home.path, 'agent.json')
  const first = await startIdentity(path)
  expect(first.secret.reveal()).toMatch(/^iag_[\w-]{43}$/)
  expect((await startIdentity(path)).secret.reveal()).toBe(first.secret.reveal())
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(JSON.stringify(first)).not.toContain('iag_')
  const { secret: _, ...older } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  await writeFile(path, JSON.stringify(older))
  const upgraded = await startIdentity(path)
  expect(upgraded.agentId).toBe(first.agentId)
  expect(upgraded.secret.reveal()).not.toBe(first.secret.reveal())
})

it('notices that the data directory came from another machine', async () => {
  const path = join(home.path, 'agent.json')
  const { agentId } = await startIdentity(path)
  const stored = JSON.parse(await readFile(path, 'utf8')) as { machineId: string }
  await writeFile(path, JSON.stringify({ ...stored, machineId: 'another' }))
  const moved = await startIdentity(path)
  expect(moved).toMatchObject({ agentId, hasMoved: stored.machineId !== '' })
})
