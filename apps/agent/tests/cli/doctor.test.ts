import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type FakeServer, startFakeServer, type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CheckName, CheckResult } from '../../src/cli/doctor/check.js'
import { examine } from '../../src/cli/doctor/examine.js'
import { readConfig } from '../../src/config/config.js'
import { startConnectProxy } from '../_util/connect-proxy.js'
import { selfSignedCertificate } from '../_util/self-signed-certificate.js'
import { startTlsFront } from '../_util/tls-front.js'

let home: TemporaryDirectory
let server: FakeServer
beforeAll(async () => {
  home = await temporaryDirectory('doctor')
  server = await startFakeServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

async function doctor(
  flags: Record<string, string | boolean>,
  env: Record<string, string> = {},
): Promise<CheckResult[]> {
  const environment = {
    PATH: process.env.PATH,
    IAC_AGENT_APP_KEY: server.key.app_key,
    IAC_AGENT_APP_SECRET: server.key.app_secret,
    ...env,
  }
  return await examine(await readConfig({ serverUrl: server.url, dataDir: home.path, ...flags }, environment))
}

const failures = (results: CheckResult[]) => results.filter(({ result }) => result === 'failed').map(({ name }) => name)
const detail = (results: CheckResult[], wanted: CheckName) => results.find(({ name }) => name === wanted)?.detail

it('finds nothing wrong with a server that answers and a host that has terraform', async () => {
  const results = await doctor({})
  expect(results.map(({ name, result }) => `${name} ${result}`)).toEqual([
    'dns ok',
    'tcp ok',
    'proxy skipped',
    'tls skipped',
    'credentials ok',
    'upgrade ok',
    'clock ok',
    'disk ok',
    'terraform ok',
  ])
  expect(server.registered).toEqual([])
})

it('names dns', async () => {
  const results = await doctor({ serverUrl: 'https://iac-server.invalid' })
  expect(failures(results)).toEqual(['dns'])
  expect(detail(results, 'credentials')).toBe('dns failed')
})

it('names tcp', async () => {
  expect(failures(await doctor({ serverUrl: 'http://127.0.0.1:9' }))).toEqual(['tcp'])
})

it('names tls when the certificate is of an unknown authority, and is content with --ca-file', async () => {
  const certificate = selfSignedCertificate()
  await using front = await startTlsFront(certificate, new URL(server.url))
  expect(failures(await doctor({ serverUrl: front.url }))).toEqual(['tls'])
  const ca = `${home.path}/ca.pem`
  const { writeFile } = await import('node:fs/promises')
  await writeFile(ca, certificate.cert)
  const results = await doctor({ serverUrl: front.url, caFile: ca })
  expect(failures(results)).toEqual([])
  expect(detail(results, 'tls')).toMatch(/TLSv1\.3, certificate valid until/)
})

it('names the proxy when it wants other credentials, and passes through it with the right ones', async () => {
  await using proxy = await startConnectProxy()
  await using front = await startTlsFront(selfSignedCertificate(), new URL(server.url))
  const stripped = new URL(proxy.url)
  stripped.username = ''
  stripped.password = ''
  const refused = await doctor({ serverUrl: front.url }, { HTTPS_PROXY: stripped.href })
  expect(failures(refused)).toEqual(['proxy'])
  expect(detail(refused, 'proxy')).toContain('other credentials')
  const passed = await doctor({ serverUrl: front.url }, { HTTPS_PROXY: proxy.url })
  expect(passed.find(({ name }) => name === 'proxy')?.result).toBe('ok')
})

it('names the credentials', async () => {
  const results = await doctor({}, { IAC_AGENT_APP_SECRET: 'wrong' })
  expect(failures(results)).toEqual(['credentials'])
  expect(detail(results, 'upgrade')).toBe('needs working credentials')
})

it('names the upgrade when something on the way answers it with a page', async () => {
  server.fail({ match: /control/, times: 2, answer: { status: 502, body: '<html>Bad Gateway</html>' } })
  expect(failures(await doctor({}))).toEqual(['upgrade'])
  server.heal()
})

it('names the clock when it differs from the server', async () => {
  const clock = createServer((_, response) => {
    response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString())
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { code: 'not_found', message: 'no', details: {} }, request_id: 'r' }))
  })
  await new Promise<void>((resolve) => clock.listen(0, '127.0.0.1', resolve))
  const results = await doctor({ serverUrl: `http://127.0.0.1:${(clock.address() as AddressInfo).port}` })
  clock.closeAllConnections()
  await new Promise((resolve) => clock.close(resolve))
  expect(failures(results)).toContain('clock')
  expect(detail(results, 'clock')).toMatch(/this clock is 360[01]\.\d s ahead of the server's/) // a Date header is cut to whole seconds
})

it('names the disk when the data directory cannot be one', async () => {
  expect(failures(await doctor({ dataDir: '/proc/nowhere' }))).toEqual(['disk'])
})

it('names terraform when there is none', async () => {
  expect(failures(await doctor({}, { PATH: '/nowhere' }))).toEqual(['terraform'])
})

it('names the setting when the given terraform is none', async () => {
  const results = await doctor({ terraformPath: '/bin/true' })
  expect(failures(results)).toEqual(['terraform'])
  expect(detail(results, 'terraform')).toContain('--terraform-path: /bin/true')
})

it('says that it is the proxy which cannot be reached', async () => {
  const results = await doctor({ serverUrl: 'https://iac.example.test' }, { https_proxy: 'http://127.0.0.1:1' })
  expect(failures(results)).toEqual(['tcp'])
  expect(detail(results, 'tcp')).toContain('the proxy 127.0.0.1:1 cannot be reached')
})

it('says on one line that a plain server speaks no TLS', async () => {
  const results = await doctor({ serverUrl: server.url.replace('http:', 'https:') })
  expect(failures(results)).toEqual(['tls'])
  expect(detail(results, 'tls')).toMatch(/^[^\n]*is the server plain http\?$/)
})
