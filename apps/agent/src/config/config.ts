/** From settings to one frozen configuration; what is missing or contradictory is a SettingError that names it. */
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  defaultDataDir,
  type LogFormat,
  type LogLevel,
  needSetting,
  resolveSettings,
  type SecretSource,
  SettingError,
} from '@iac-agent/runtime'
import type { RunLimits } from '../tasks/run-limits.js'
import { type Environment, proxiesOf } from './env.js'
import { agentSettings } from './settings.js'

export interface AgentConfig {
  readonly serverUrl: URL
  readonly appKey: SecretSource
  readonly appSecret: SecretSource
  readonly name: string
  readonly dataDir: string
  readonly workRoot: string
  readonly planLimit: number
  readonly labels: Readonly<Record<string, string>>
  readonly terraformPath: string | undefined
  readonly terraformReleasesUrl: string | undefined
  readonly terraformCliConfig: string | undefined
  readonly passEnv: readonly string[]
  readonly network: { httpProxy?: string; httpsProxy?: string; noProxy?: string; ca?: string }
  readonly onTerm: 'drain' | 'cancel'
  readonly termGraceMs: number
  readonly cancelGraceMs: number
  readonly limits: RunLimits
  readonly minFreeDiskBytes: number
  readonly minFreeMemoryBytes: number
  readonly keepAttemptsMs: number
  readonly keepAttemptsMaxBytes: number
  readonly cacheMaxBytes: number
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  /** The agent's own environment, for the allow-list of terraform's. */
  readonly environment: Environment
}

type Flags = Record<string, unknown>

/** @throws SettingError */
export async function readConfig(flags: Flags, env: Environment): Promise<AgentConfig> {
  const values = await resolveSettings(agentSettings, { flags, env })
  const serverUrl = needSetting(agentSettings, 'serverUrl', values.serverUrl)
  if (serverUrl.protocol === 'http:' && !isLoopback(serverUrl.hostname) && !values.insecureHttp) {
    throw new SettingError(
      '--server-url',
      `${serverUrl.origin} is plain http beyond loopback; use https, or say --insecure-http`,
    )
  }
  const dataDir = values.dataDir ?? (await defaultDataDir('iac-agent', env))
  return Object.freeze({
    serverUrl,
    appKey: needSetting(agentSettings, 'appKey', values.appKey),
    appSecret: needSetting(agentSettings, 'appSecret', values.appSecret),
    name: values.name,
    dataDir,
    workRoot: values.workRoot ?? join(dataDir, 'work'),
    planLimit: values.planLimit,
    labels: values.labels,
    terraformPath: values.terraformPath,
    terraformReleasesUrl: values.terraformReleasesUrl?.href,
    terraformCliConfig: await readable('--terraform-cli-config', values.terraformCliConfig),
    passEnv: values.passEnv,
    network: { ...proxiesOf(env), ...(values.caFile === undefined ? {} : { ca: await readCa(values.caFile) }) },
    onTerm: values.onTerm,
    termGraceMs: values.termGrace,
    cancelGraceMs: values.cancelGrace,
    limits: {
      ...(values.taskMemoryLimit ? { memoryBytes: values.taskMemoryLimit } : {}),
      ...(values.silenceTimeout === undefined ? {} : { silenceMs: values.silenceTimeout }),
      ...(values.runTimeout === undefined ? {} : { runMs: values.runTimeout }),
    },
    minFreeDiskBytes: values.minFreeDisk,
    minFreeMemoryBytes: values.minFreeMemory,
    keepAttemptsMs: values.keepAttempts,
    keepAttemptsMaxBytes: values.keepAttemptsMax,
    cacheMaxBytes: values.cacheMax,
    logLevel: values.logLevel,
    logFormat: values.logFormat,
    environment: env,
  })
}

/** Where the daemon of these settings keeps its data: enough for `status` and `drain`. */
export async function readDataDir(flags: Flags, env: Environment): Promise<string> {
  const { dataDir } = await resolveSettings(agentSettings, { flags, env }, ['dataDir'])
  return dataDir ?? (await defaultDataDir('iac-agent', env))
}

/** Terraform itself goes on without a file it is given and cannot read: without mirrors and credentials, that is. */
async function readable(setting: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  await access(file, constants.R_OK).catch((cause: Error) => {
    throw new SettingError(setting, cause.message, { cause })
  })
  return file
}

async function readCa(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new SettingError('--ca-file', cause.message, { cause })
  })
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new SettingError('--ca-file', `${file} holds no PEM certificate`)
  return pem
}

/** True for addresses that never leave this host. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host)
}
