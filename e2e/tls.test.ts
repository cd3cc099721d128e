import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type { NewPoolKey } from '@iac-agent/protocol'
import { repositoryRoot, selfSigned, startAgent, startServer, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'

const bin = join(repositoryRoot(), 'apps/server/bin/iac-server.js')

describe('a server with a certificate of its own', () => {
  it('serves the API and an agent that trusts it over TLS, and nobody in clear', async () => {
    await using home = await temporaryDirectory()
    const { keyPem, certificatePem } = selfSigned()
    const [certFile, keyFile] = [join(home.path, 'cert.pem'), join(home.path, 'key.pem')]
    await writeFile(certFile, certificatePem)
    await writeFile(keyFile, keyPem, { mode: 0o600 })
    await using server = await startServer({ args: ['--tls-cert-file', certFile, '--tls-key-file', keyFile] })
    const { port, protocol } = new URL(server.url)
    expect(protocol).toBe('https:')
    const url = `https://localhost:${port}`
    const admin = async (...args: string[]) => {
      const { stdout } = await execa(process.execPath, [bin, ...args, '--json', '--data-dir', server.dataDir])
      return JSON.parse(stdout) as unknown
    }
    await admin('pool', 'create', 'default')
    const key = (await admin('key', 'create', '--pool', 'default')) as NewPoolKey
    await using agent = await startAgent({ server: { url }, key, args: ['--ca-file', certFile] })
    const connected = await get(`${url}/api/v1/agents/${agent.agentId}`, certificatePem, server.operatorToken)
    expect(connected).toMatchObject({ status: 'online' })
    await expect(fetch(`http://localhost:${port}/livez`)).rejects.toThrow()
  })
})

function get(url: string, ca: string, token: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const sent = request(url, { ca, headers, agent: false }, async (answer) => {
      let text = ''
      for await (const chunk of answer) text += chunk
      resolve(JSON.parse(text))
    })
    sent.on('error', reject).end()
  })
}
