/** The agent as a whole: builds every part, serves until it has drained, and answers how it ended. */
import { freemem } from 'node:os'
import { type AgentMessage, protocolVersion } from '@iac-agent/protocol'
import { ExitCode as Exit, type ExitCode, type Logger, onStopSignals, systemClock } from '@iac-agent/runtime'
import type { AgentConfig } from '../config/config.js'
import { startIdentity } from '../config/identity.js'
import { Ballast } from '../journal/ballast.js'
import { crashPoint } from '../journal/crash-points.js'
import { dataLayout } from '../journal/layout.js'
import { AgentApi } from '../server-api/agent-api.js'
import { createNetwork } from '../server-api/network.js'
import { ServerRequest } from '../server-api/request.js'
import { Retry } from '../server-api/retry.js'
import { Versions } from '../terraform/versions.js'
import { Attempts } from './attempts.js'
import { Caches } from './caches.js'
import { credentialSource } from './credential-source.js'
import { DaemonState } from './daemon-state.js'
import { takeDataDirectory } from './data-directory.js'
import { dispatch } from './dispatch.js'
import { freeBytes } from './free-bytes.js'
import { Janitor } from './janitor.js'
import { KeptAttempts } from './kept-attempts.js'
import { openLocalSocket } from './local-socket.js'
import { Offers } from './offers.js'
import { drainAfterFirst, leaveWithoutWork } from './once.js'
import { openSupervisors } from './open-supervisors.js'
import { resumeAttempts } from './recovery.js'
import { Resender } from './resender.js'
import { ResourceGuard } from './resource-guard.js'
import { whenThereIsRoom } from './room-to-start.js'
import { ServerLink } from './server-link.js'
import { SessionFactory } from './session-factory.js'
import { Shutdown } from './shutdown.js'
import { statusReport } from './status-report.js'
import { StoreLife } from './store-life.js'

export interface DaemonParts {
  config: AgentConfig
  log: Logger
  /** Of this program. */
  version: string
  /** One run, then the end: `done`, or `noWork` when there was none. */
  isOnce?: boolean
}

/** Runs until drained or refused. @throws CommandError when it cannot start, or the server refuses it */
export async function runDaemon({ config, log, version, isOnce = false }: DaemonParts): Promise<ExitCode> {
  const data = dataLayout(config.dataDir)
  const planLimit = isOnce ? 1 : config.planLimit
  await using _lock = await takeDataDirectory(data)
  crashPoint('start.locked')
  const ballast = await Ballast.open({
    path: data.ballast,
    freeBytes: () => freeBytes(data.root),
    floorBytes: config.minFreeDiskBytes,
    log,
  })
  const room = { ballast, log }
  const identity = await whenThereIsRoom(room, () => startIdentity(data.identity))
  crashPoint('start.identified')
  if (identity.hasMoved)
    log.warn({ agent_id: identity.agentId }, 'data directory was used on another machine, same agent goes on')

  await using network = createNetwork(config.network)
  const leaving = new AbortController()
  const state = new DaemonState(log)
  const retry = new Retry({ log })
  const life = new StoreLife(log)
  const kept = new KeptAttempts(config.keepAttemptsMs, () => systemClock.monotonic())
  const credentials = credentialSource({ ...config, agentSecret: identity.secret }, log)
  const request = new ServerRequest({
    serverUrl: config.serverUrl,
    network,
    credentials,
    agentId: () => identity.agentId,
    onSuccess: () => retry.wake(),
    onStoreEpoch: (epoch) => life.saw(epoch),
  })
  const versions = new Versions({
    searchPath: config.environment.PATH ?? '',
    cacheDir: data.versions,
    releases: {
      dispatcher: network.dispatcher,
      ...(config.terraformReleasesUrl === undefined ? {} : { baseUrl: config.terraformReleasesUrl }),
    },
    ...(config.terraformPath === undefined ? {} : { terraformPath: config.terraformPath }),
  })

  const link: ServerLink = new ServerLink({
    api: new AgentApi(request),
    retry,
    description: {
      agent_id: identity.agentId,
      name: config.name,
      version,
      protocol_version: protocolVersion,
      labels: { ...config.labels },
      plan_limit: planLimit,
      capabilities: { engines: ['terraform', 'tofu'], platform: `${process.platform}_${process.arch}` },
      work_root: config.workRoot,
    },
    control: {
      serverUrl: config.serverUrl,
      network,
      credentials,
      agentId: identity.agentId,
      instanceId: identity.instanceId,
      bootEpoch: identity.bootEpoch,
      isBusy: () => !attempts.isEmpty,
      inventory: () => attempts.inventory(),
      heartbeat: () => heartbeat(),
      onState: ({ phase }) => {
        if (phase === 'connected') retry.wake()
        if (phase === 'unauthorized' && attempts.isEmpty) shutdown.leave(Exit.refused)
      },
      log,
    },
    onMessage: (message) => dispatch({ attempts, offers, state, life, log }, message),
    isIdle: () => attempts.isEmpty,
    onReady: () => {
      state.move('serving')
      const { agentId: agent_id } = identity
      log.info(
        { agent_id, data_dir: data.root, work_root: config.workRoot, server_url: config.serverUrl.href },
        'ready',
      )
      supervisors.standBy()
      if (isOnce) leaveWithoutWork({ attempts, shutdown, log }, leaving.signal)
    },
    log,
  })

  await using supervisors = await openSupervisors(data, room)
  const sessions = new SessionFactory({
    tools: {
      hostEnvironment: config.environment,
      passEnv: config.passEnv,
      cliConfigFile: config.terraformCliConfig,
      versions,
      supervisors,
      initCache: data.initCache,
      cancelGraceMs: config.cancelGraceMs,
      limits: config.limits,
    },
    request,
    retry,
    live: link.live,
    leaving: leaving.signal,
    kept,
    ballast,
    log,
  })
  const tell = (message: AgentMessage) => link.tell(message)
  const attempts = new Attempts({ log, tell, onCancelMoved: () => link.heartbeatNow() })
  const resender = new Resender({ kept, attempts, sessions, life, leaving: leaving.signal, log })
  life.onNew((epoch, former) => {
    attempts.restored(epoch)
    if (former !== undefined) void link.registerAgain(leaving.signal)
  })
  const caches = new Caches({
    data,
    workRoot: config.workRoot,
    programsInUse: () => attempts.programsInUse(),
    now: () => systemClock.now(),
  })
  const janitor = new Janitor({
    kept,
    caches,
    bounds: { keptBytes: config.keepAttemptsMaxBytes, cacheBytes: config.cacheMaxBytes },
    now: () => systemClock.monotonic(),
    log,
  })
  const guard = new ResourceGuard({
    floors: { diskBytes: config.minFreeDiskBytes, memoryBytes: config.minFreeMemoryBytes },
    measure: () => ({ diskBytes: freeBytes(data.root), memoryBytes: freemem() }),
    ballast,
    onDiskLow: () => attempts.markTorn(),
    log,
  })
  const offers = new Offers({
    data,
    workRoot: config.workRoot,
    planLimit,
    state,
    attempts,
    kept,
    resender,
    guard,
    ballast,
    log,
    tell,
    openSession: (layout, journal) => sessions.open(layout, journal),
  })
  const heartbeat = () => {
    const { planRunning, applyRunning } = attempts.load()
    const { shortage } = guard
    const currentTasks = attempts.inventory().map(({ task_id, attempt, stage, cancel_rung }) => ({
      task_id,
      attempt,
      stage,
      ...(cancel_rung === undefined ? {} : { cancel_rung }),
    }))
    return {
      status: state.isEnding ? 'draining' : shortage ? 'degraded' : currentTasks.length > 0 ? 'busy' : 'idle',
      plan_running: planRunning,
      plan_limit: planLimit,
      apply_running: applyRunning > 0,
      current_tasks: currentTasks,
      disk_free_bytes: freeBytes(data.root),
      ...(shortage === undefined ? {} : { shortage }),
    }
  }
  const shutdown = new Shutdown({ state, attempts, onTerm: config.onTerm, termGraceMs: config.termGraceMs, log })
  using _signals = onStopSignals((count, name) => {
    shutdown.signalled(count, name)
    link.heartbeatNow()
  })
  await using _socket = await openLocalSocket(data.socket, {
    status: () => statusReport({ config, identity, version, data, state, attempts, kept, guard, link }),
    drain: () => {
      shutdown.drain()
      link.heartbeatNow()
      return { waiting_for: attempts.waitingFor() }
    },
  })
  if (isOnce) drainAfterFirst({ attempts, shutdown })
  await resumeAttempts({ data, ballast, sessions, attempts, kept, log })

  const looking = Promise.all([guard.run(leaving.signal), janitor.run(leaving.signal)])
  const linked = link.run(leaving.signal)
  try {
    return await Promise.race([shutdown.ended, linked.then((end) => refusedBy(end, log))])
  } finally {
    state.move('leaving')
    leaving.abort()
    await Promise.all([attempts.ended(), looking])
    await linked.catch(() => undefined) // it was told to stop, or its error is on its way from the race above
  }
}

/** The connection ended for good while we wanted to stay: another process has this agent's name. */
function refusedBy(end: { end: string; reason?: string }, log: Logger): ExitCode {
  if (end.end === 'stopped') return Exit.done
  log.error({ end: end.end, reason: end.reason }, 'another process is this agent')
  return Exit.refused
}
