import { describe, expect, it } from 'vitest'
import { readConfig } from './config.js'

const env = { HOME: '/nobody' }

describe('the configuration of the server', () => {
  it('has a default for everything, durations in milliseconds, and cannot be changed', async () => {
    const config = await readConfig({ dataDir: '/srv/iac' }, env)
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 8080 },
      dataDir: '/srv/iac',
      heartbeatIntervalMs: 10_000,
      leaseTtlMs: 60_000,
      offerTimeoutMs: 10_000,
      logLevel: 'info',
      logFormat: 'pretty',
    })
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('refuses plain http beyond loopback without TLS, proxies or a word of consent', async () => {
    const open = { listen: '0.0.0.0:8080', dataDir: '/srv/iac' }
    await expect(readConfig(open, env)).rejects.toThrow(
      '--listen: plain http on 0.0.0.0 would carry secrets over the network: give --tls-cert-file and --tls-key-file, --trusted-proxies, or --insecure-http',
    )
    await expect(readConfig({ ...open, listen: '[::]:80' }, env)).rejects.toThrow('plain http on ::')
    for (const consent of [
      { insecureHttp: true },
      { trustedProxies: '10.0.0.0/8' },
      { tlsCertFile: 'c', tlsKeyFile: 'k' },
    ])
      await expect(readConfig({ ...open, ...consent }, env)).resolves.toMatchObject({ listen: { port: 8080 } })
    for (const listen of ['127.0.0.1:1', '127.8.0.1:1', 'localhost:1', '[::1]:1'])
      await expect(readConfig({ listen, dataDir: '/d' }, env)).resolves.toBeDefined()
  })

  it('wants certificate and key together', async () => {
    await expect(readConfig({ tlsCertFile: 'c' }, env)).rejects.toThrow(
      '--tls-key-file: is needed beside --tls-cert-file',
    )
    await expect(readConfig({}, { ...env, IAC_SERVER_TLS_KEY_FILE: 'k' })).rejects.toThrow('--tls-cert-file: is needed')
  })

  it('never shows the operator token', async () => {
    const config = await readConfig({ dataDir: '/d' }, { ...env, IAC_SERVER_OPERATOR_TOKEN: 'hidden' })
    expect(config.operatorToken?.reveal()).toBe('hidden')
    expect(JSON.stringify(config)).not.toContain('hidden')
  })

  it('keeps data under XDG_STATE_HOME when /var/lib is not this user’s', async () => {
    const { dataDir } = await readConfig({}, { ...env, XDG_STATE_HOME: '/state' })
    expect(['/var/lib/iac-server', '/state/iac-server']).toContain(dataDir)
  })
})
