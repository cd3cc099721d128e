/** `iac-server start`: serves until it is told to stop. */
import { join } from 'node:path'
import {
  addSettingFlags,
  type Command,
  CommandError,
  createLogger,
  ExitCode,
  type Logger,
  onStopSignals,
  systemClock,
  unknownVariables,
  writeFileAtomic,
} from '@iac-agent/runtime'
import { readConfig, type ServerConfig } from '../config/config.js'
import { processEnv } from '../config/env.js'
import { serverSettings } from '../config/server-settings.js'
import { createFirstToken } from '../domain/auth/tokens.js'
import { type RunningServer, startServer } from '../server.js'
import { crashPoint } from '../store/crash-points.js'
import { DataDirInUse, lockDataDir } from '../store/data-lock.js'
import { sweepDataDir } from '../store/restore-database.js'
import { openSqliteStore } from '../store/sqlite.js'
import type { Store } from '../store/store.js'
import { StoreError } from '../store/store-error.js'
import { serverVersion } from './server-version.js'

const examples = `
Examples:
  $ iac-server start --data-dir /srv/iac --listen 127.0.0.1:8080
  $ IAC_SERVER_OPERATOR_TOKEN_FILE=/run/secrets/operator iac-server start --config /etc/iac-server.yaml`

export function addStartCommand(program: Command): void {
  const command = program.command('start').description('Serves the API and the agents until SIGTERM or SIGINT.')
  addSettingFlags(command, serverSettings)
  command.addHelpText('after', examples).action(async (flags: Record<string, unknown>) => {
    const config = await readConfig(flags, processEnv)
    const logger = await createLogger({ level: config.logLevel, format: config.logFormat })
    for (const name of unknownVariables(serverSettings, processEnv)) {
      logger.warn({ variable: name }, 'unknown variable in the environment')
    }
    await serve(config, logger)
  })
}

async function serve(config: ServerConfig, logger: Logger): Promise<void> {
  const stop = new AbortController()
  using _signals = onStopSignals((count, name) => {
    if (count > 1) return
    logger.info({ signal: name }, 'stopping')
    stop.abort()
  })
  await using _lock = taken(config.dataDir)
  sweepDataDir(config.dataDir)
  await using store = await opened(config.dataDir, logger)
  const tokenFile = await firstToken(config, store)
  await using server = await listening(config, store, logger)
  logger.info({ url: server.url, data_dir: config.dataDir, version: serverVersion, ...tokenFile }, 'ready')
  await untilAborted(stop.signal)
}

function taken(dataDir: string): AsyncDisposable {
  try {
    return lockDataDir(dataDir)
  } catch (err) {
    if (err instanceof DataDirInUse) throw new CommandError(err.message, ExitCode.dataDirInUse, { cause: err })
    throw settingFault(err)
  }
}

async function opened(dataDir: string, logger: Logger): Promise<Store> {
  try {
    return await openSqliteStore({
      dataDir,
      onListenerError: (err) => logger.error({ err }, 'listener of changes failed'),
      onCheckpointFault: (err) => logger.error({ err }, 'checkpoints failed on their thread, commits do them now'),
    })
  } catch (err) {
    throw settingFault(err)
  }
}

/** A data directory that cannot be used is a wrong setting; other failures of the store are faults, in one sentence too. */
function settingFault(err: unknown): unknown {
  if (!(err instanceof StoreError)) return err
  const exitCode = err.code === 'data_dir_unusable' ? ExitCode.usage : ExitCode.fault
  return new CommandError(`--data-dir: ${err.message}`, exitCode, { cause: err })
}

/** Without a token configured or stored the first start makes one, readable by this user alone. */
async function firstToken(config: ServerConfig, store: Store): Promise<{ operator_token_file?: string }> {
  if (config.operatorToken !== undefined) return {}
  const file = join(config.dataDir, 'operator-token')
  const isMade = await createFirstToken({ store, clock: systemClock }, async (token) => {
    await writeFileAtomic(file, `${token}\n`)
    crashPoint('first_token.written')
  })
  return isMade ? { operator_token_file: file } : {}
}

async function listening(config: ServerConfig, store: Store, logger: Logger): Promise<RunningServer> {
  try {
    return await startServer({ config, store, logger, version: serverVersion })
  } catch (err) {
    throw listenFault(config, err)
  }
}

function listenFault({ listen: { host, port }, tls }: ServerConfig, err: unknown): unknown {
  const { code, syscall, path } = err as NodeJS.ErrnoException
  const where = `--listen ${host}:${port}`
  if (code === 'EADDRINUSE') return new CommandError(`${where}: the port is in use`, ExitCode.usage, { cause: err })
  if (code === 'EACCES' && syscall === 'listen')
    return new CommandError(`${where}: this user may not listen there`, ExitCode.usage, { cause: err })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new CommandError(`${where}: this host has no such address`, ExitCode.usage, { cause: err })
  const isUnreadable = tls !== undefined && (path === tls.certFile || path === tls.keyFile)
  if (isUnreadable || code?.startsWith('ERR_OSSL'))
    return new CommandError(`--tls-cert-file, --tls-key-file: ${(err as Error).message}`, ExitCode.usage, {
      cause: err,
    })
  return err
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
