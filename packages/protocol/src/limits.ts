/** Every bound of the contract, in one place, with its reason. Bytes and milliseconds. */

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

export const limits = {
  /** JSON bodies other than those below: larger ones are mistakes */
  jsonBodyBytes: 1 * MiB,
  /** one log chunk, uncompressed; also bounds what a retry resends */
  logChunkBytes: 1 * MiB,
  /** a chunk as JSON: every byte may be escaped as \\u00xx, plus the fields around it */
  logChunkJsonBytes: 6 * MiB + 64 * KiB,
  /** a state sent raw: streamed, never held in memory */
  stateRawBytes: 512 * MiB,
  /** a state inside a JSON body: held in memory once */
  stateJsonBytes: 128 * MiB,
  planBytes: 256 * MiB,
  planJsonBytes: 128 * MiB,
  configurationPackedBytes: 100 * MiB,
  configurationUnpackedBytes: 1 * GiB,
  configurationEntries: 100_000,
  /** the tail of a stream that is kept on the task row itself */
  outputTailBytes: 64 * KiB,
  /** one compressed live-log frame: zlib-sync has no bound on its output, so its input is bounded */
  liveFrameBytes: 16 * KiB,
  /** what one live-log frame may inflate to */
  liveFrameInflatedBytes: 1 * MiB + 4 * KiB,
  /** one text frame on the C&C socket: a hello with 1,000 attempts fits */
  controlFrameBytes: 1 * MiB,
  /** attempts named in one hello or heartbeat: each costs the server a look */
  inventoryTasks: 10_000,
  /** SHA-256 and similar header values */
  headerBytes: 8 * KiB,
  pageItems: 200,
  nameLength: 128,
  descriptionLength: 4096,
  /** progress reports in one request */
  resourceReports: 1000,
  /** resources in one list of what no state holds; the rest is counted */
  unrecordedResources: 1000,
  /** an address, id or note of such a resource */
  unrecordedTextLength: 4096,
} as const

export const timing = {
  /** the seed's connection timeout: no frame for this long and the agent is offline */
  controlSilenceMs: 60_000,
  heartbeatIntervalMs: 10_000,
  leaseTtlMs: 60_000,
  offerTimeoutMs: 10_000,
  /** a seed-only agent knows no task_accepted; its first request is the answer */
  seedOfferTimeoutMs: 60_000,
  /** a viewer of a stream that takes nothing for this long is cut off */
  viewerStallMs: 60_000,
  /** an HTTP connection on which nothing moves, while a request is under way, is cut */
  httpSilenceMs: 60_000,
  /** task_completed without a status PUT for this long ends the task */
  statusNotReportedMs: 30_000,
  /** log lane: whichever is first, with logBatchBytes */
  logBatchMs: 500,
  liveFrameMs: 40,
  reconnectFirstMs: 500,
  reconnectBusyMs: 3_000,
  reconnectIdleMs: 10_000,
} as const

/** Log lane: a batch is sent at this size or after `timing.logBatchMs`. */
export const logBatchBytes = 256 * KiB

/** At most this many attempts of a plan whose lease ended. */
export const maxPlanAttempts = 3
