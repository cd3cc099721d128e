/** The facts of an attempt: each line of its journal is one; what happened is decided from them alone. */
import { TaskType } from '@iac-agent/protocol'
import { type Static, type TProperties, Type } from 'typebox'

const Count = Type.Integer({ minimum: 0 })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** Where a state came from: POSTed to the loopback backend, left behind as errored.tfstate, or printed into the output. */
export const StateOrigin = Type.Enum(['posted', 'errored', 'printed'])
export type StateOrigin = Static<typeof StateOrigin>

/** The rungs of the cancel ladder that reach terraform's pid. */
export const Rung = Type.Enum(['interrupt', 'interrupt_again', 'kill'])
export type Rung = Static<typeof Rung>

/** Who wants the attempt to stop. */
export const CancelReason = Type.Enum(['operator', 'force', 'forgotten', 'shutdown'])
export type CancelReason = Static<typeof CancelReason>

/** The counts of a plan or apply. */
export const Counts = Type.Object({ add: Count, change: Count, destroy: Count })
export type Counts = Static<typeof Counts>

/** What a run, or all runs of an attempt, used of this host; what nobody could measure is absent. */
export const Used = Type.Object({
  /** Most resident memory seen at once, bytes. */
  peakRssBytes: Type.Optional(Count),
  cpuMs: Type.Optional(Count),
})
export type Used = Static<typeof Used>

/** The limits an agent can set to a run (tasks/run-limits.ts); each is the task's error code too. */
export const LimitCode = Type.Enum(['memory_limit', 'silence_timeout', 'run_timeout'])
export type LimitCode = Static<typeof LimitCode>

/** An error of terraform, as it printed it. */
export const Diagnostic = Type.Object({
  summary: Type.String(),
  detail: Type.String(),
  file: Type.Optional(Type.String()),
  line: Type.Optional(Count),
})
export type Diagnostic = Static<typeof Diagnostic>

/** What leaves the agent; `state` items are named by their file. */
export const Item = Type.Enum(['state', 'unrecorded', 'plan', 'plan_json', 'progress', 'log', 'status'])
export type Item = Static<typeof Item>

const fact = <const Kind extends string, Fields extends TProperties>(kind: Kind, fields: Fields) =>
  Type.Object({ fact: Type.Literal(kind), at: Type.String(), ...fields })

/** Received from the server and not yet answered: always the first line. The lease is a secret. */
export const Offered = fact('offered', {
  taskId: Count,
  attempt: Count,
  workspaceId: Type.String(),
  action: Type.Enum(['plan', 'apply']),
  leaseToken: Type.String(),
  leaseTtlMs: Count,
  workRoot: Type.String(),
  /** Of the attempt's directory (journal/place.ts). */
  place: Type.Optional(Type.String()),
})
export type Offered = Static<typeof Offered>

/** A state terraform wrote, durable under `states/<file>`. */
export const StateReceived = fact('stateReceived', {
  file: Type.String(),
  origin: StateOrigin,
  serial: Count,
  sha256: Sha256,
  /** False: kept aside (another lineage); never delivered as current. */
  isOurs: Type.Boolean(),
})
export type StateReceived = Static<typeof StateReceived>

/** What the attempt came to; written once, before it is told. */
export const Outcome = fact('outcome', {
  status: Type.Enum(['success', 'applied', 'failed', 'cancelled']),
  counts: Type.Optional(Counts),
  durationSeconds: Count,
  used: Type.Optional(Used),
  errorCode: Type.Optional(Type.String()),
  errorMessage: Type.Optional(Type.String()),
})
export type Outcome = Static<typeof Outcome>

/** One line of the journal. */
export const Fact = Type.Union([
  Offered,
  /** Data document, state, configuration and (apply) plan archive are on disk. */
  fact('fetched', {
    taskType: TaskType,
    lineage: Type.String(),
    hasState: Type.Boolean(),
    baseSerial: Type.Optional(Count),
  }),
  /** The work directory is claimed and holds the configuration. */
  fact('prepared', { rootDirectory: Type.String(), isBuiltinOnly: Type.Boolean() }),
  fact('engineFound', { engine: Type.String(), version: Type.String(), program: Type.String() }),
  fact('backendOpened', { port: Count, username: Type.String(), password: Type.String() }),
  /** What the work directory needs is there already (terraform/init-cache.ts). */
  fact('initSkipped', {}),
  /** About to start a command: durable before the supervisor is spawned. `oomKills`: of the host so far. */
  fact('spawning', { run: Type.String(), outputOffset: Count, oomKills: Type.Optional(Count) }),
  /** Most memory the run held so far, from time to time: what a restarted agent would not see any more. */
  fact('memoryPeaked', { run: Type.String(), peakRssBytes: Count }),
  /** The run went beyond a limit: reason enough to interrupt it, and intent, durable before the ladder climbs. Once a run. */
  fact('limitExceeded', { run: Type.String(), code: LimitCode, message: Type.String() }),
  /**
   * `needsInit`: terraform refused for want of an init that was skipped; `diagnostics` are its errors, redacted; of a run that failed
   * also how many processes the kernel killed for want of memory meanwhile, and how much memory the host has.
   */
  fact('exited', {
    run: Type.String(),
    code: Type.Integer(),
    needsInit: Type.Optional(Type.Boolean()),
    counts: Type.Optional(Counts),
    diagnostics: Type.Optional(Type.Array(Diagnostic)),
    used: Type.Optional(Used),
    oomKills: Type.Optional(Count),
    hostMemoryBytes: Type.Optional(Count),
  }),
  /** `show -json` of the plan was read. */
  fact('planShown', { counts: Counts, hasChanges: Type.Boolean() }),
  /** The plan archive is on disk, ready for delivery; absent for plans that are never applied. */
  fact('planPacked', {}),
  /** The redacted plan-json is on disk, ready for delivery. */
  fact('planJsonSaved', {}),
  fact('planRestored', {}),
  /** The directory is a copy: what it says of an apply may have gone on elsewhere. */
  fact('moved', { place: Type.String() }),
  /** A former process was let through the start gate and began nothing: by now the server may think otherwise, so it is asked again. */
  fact('startDoubted', {}),
  /** The start gate is asked: from here on "may have started" on the server's side. */
  fact('startAsked', { startId: Type.String() }),
  fact('startAnswered', {
    granted: Type.Boolean(),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
  }),
  StateReceived,
  fact('statesCollected', {}),
  /** What the apply created and no state holds is counted, and listed on disk; without counts it could not be found out. */
  fact('unrecordedListed', { created: Type.Optional(Count), mayExist: Type.Optional(Count) }),
  fact('cancelRequested', { reason: CancelReason }),
  /** Intent to signal terraform of a run: durable before the signal. */
  fact('signalling', { run: Type.String(), rung: Rung }),
  /** The signal is sent, or the run had ended: this rung is behind us. */
  fact('signalled', { run: Type.String(), rung: Rung }),
  /** The attempt cannot go on; the first one counts. */
  fact('failed', { code: Type.String(), message: Type.String() }),
  Outcome,
  /** The disk was nearly full while the output grew: lines may be missing, so the log is never sealed. */
  fact('outputTorn', { freeBytes: Count }),
  /** The raw output is whole: nothing is written to it any more. */
  fact('outputClosed', { sizeBytes: Count }),
  /** The work directory is clean and its claim gone. */
  fact('released', {}),
  /** The text is whole in the spool: the raw output, the inputs and every secret are removed from here on. */
  fact('logWhole', { sizeBytes: Count }),
  /**
   * The server has acknowledged an item (`name`: the state's file), in this life of its store (absent: it did not say); late when it
   * was stored as late data.
   */
  fact('delivered', {
    item: Item,
    name: Type.Optional(Type.String()),
    late: Type.Boolean(),
    epoch: Type.Optional(Count),
  }),
  /** The server refused an item for good; the file is kept in quarantine. */
  fact('refused', { item: Item, name: Type.Optional(Type.String()), code: Type.String(), message: Type.String() }),
  /** The server's store is in another life, restored from a backup: what it acknowledged in an earlier one is sent again. */
  fact('resend', { epoch: Count }),
  /** The server has no such attempt: it is older, or of a life of the store that is gone. Nothing more is sent, all is kept. */
  fact('unknownToServer', { epoch: Type.Optional(Count), message: Type.String() }),
])
export type Fact = Static<typeof Fact>

/** A fact before the journal stamps its time. */
export type NewFact = DistributiveOmit<Fact, 'at'>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
