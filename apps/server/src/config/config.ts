/** The settings of `start`, checked together and frozen. */
import {
  defaultDataDir,
  type ListenAddress,
  type LogFormat,
  type LogLevel,
  resolveSettings,
  type Secret,
  SettingError,
} from '@iac-agent/runtime'
import { serverSettings } from './server-settings.js'

export interface ServerConfig {
  readonly listen: ListenAddress
  readonly dataDir: string
  readonly operatorToken: Secret | undefined
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly trustedProxies: readonly string[]
  readonly heartbeatIntervalMs: number
  readonly leaseTtlMs: number
  readonly offerTimeoutMs: number
  readonly agentRateLimit: number
  readonly operatorRateLimit: number
  readonly metricsPublic: boolean
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

/** @throws SettingError naming the setting */
export async function readConfig(flags: Record<string, unknown>, env: NodeJS.ProcessEnv): Promise<ServerConfig> {
  const values = await resolveSettings(serverSettings, { flags, env })
  const tls = tlsOf(values.tlsCertFile, values.tlsKeyFile)
  const { host } = values.listen
  if (!isLoopback(host) && tls === undefined && values.trustedProxies.length === 0 && !values.insecureHttp) {
    const ways = '--tls-cert-file and --tls-key-file, --trusted-proxies, or --insecure-http'
    throw new SettingError('--listen', `plain http on ${host} would carry secrets over the network: give ${ways}`)
  }
  return Object.freeze({
    listen: values.listen,
    dataDir: values.dataDir ?? (await defaultDataDir('iac-server', env)),
    operatorToken: values.operatorToken?.current,
    tls,
    trustedProxies: values.trustedProxies,
    heartbeatIntervalMs: values.heartbeatInterval,
    leaseTtlMs: values.leaseTtl,
    offerTimeoutMs: values.offerTimeout,
    agentRateLimit: values.agentRateLimit,
    operatorRateLimit: values.operatorRateLimit,
    metricsPublic: values.metricsPublic,
    logLevel: values.logLevel,
    logFormat: values.logFormat,
  })
}

/** Where the admin subcommands look for the store. */
export async function readDataDir(flags: Record<string, unknown>, env: NodeJS.ProcessEnv): Promise<string> {
  const { dataDir } = await resolveSettings(serverSettings, { flags, env }, ['dataDir'])
  return dataDir ?? defaultDataDir('iac-server', env)
}

function tlsOf(certFile: string | undefined, keyFile: string | undefined): ServerConfig['tls'] {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile }
  if (certFile !== undefined) throw new SettingError('--tls-key-file', 'is needed beside --tls-cert-file')
  if (keyFile !== undefined) throw new SettingError('--tls-cert-file', 'is needed beside --tls-key-file')
  return undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
