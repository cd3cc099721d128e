/**
 * Keeps this host able to end what it runs: takes no new work below the floors; when the disk runs low under a run, gives the ballast
 * file back (so that exit code, states and status still fit) and marks the logs that may have lost lines.
 */
import { randomBytes } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import type { Shortage } from '@iac-agent/protocol'
import { type Logger, Loop, writeFileAtomic } from '@iac-agent/runtime'
import { crashPoint } from '../journal/crash-points.js'

export interface Room {
  diskBytes: number
  memoryBytes: number
}

export interface ResourceGuardParts {
  /** Below these no work is taken; 0 turns a floor off. */
  floors: Room
  /** What is free now. */
  measure(): Room
  /** Path of the ballast file, on the disk that is measured. */
  ballast: string
  /** The disk ran low: whoever has an output growing says so of it. Asked again while it is low. */
  onDiskLow(): Promise<void>
  log: Logger
}

const ballastBytes = 8 * 1024 * 1024
/** Lower than this a disk is as good as full, whatever the floor. */
const leastLowBytes = 1024 * 1024
/** A disk that is full for less is not noticed, nor the lines it swallowed. */
const lookEveryMs = 250

export class ResourceGuard {
  #told: Shortage | undefined

  constructor(private readonly parts: ResourceGuardParts) {}

  /** Why no work is taken; undefined when there is room. */
  get shortage(): Shortage | undefined {
    const { floors, measure, log } = this.parts
    const shortage = shortageOf(measure(), floors)
    if (shortage !== undefined && this.#told === undefined) log.warn(shortage, 'degraded, no new work')
    if (shortage === undefined && this.#told !== undefined) log.info('no longer degraded')
    this.#told = shortage
    return shortage
  }

  /** Looks again and again, until abort. */
  async run(signal: AbortSignal): Promise<void> {
    const onError = (error: unknown) => this.parts.log.warn({ err: error }, 'room could not be looked after')
    await new Loop({ everyMs: lookEveryMs, body: () => this.look(), onError }).run(signal)
  }

  /** One look at the disk. */
  async look(): Promise<void> {
    const { floors, measure, ballast, onDiskLow, log } = this.parts
    const { diskBytes } = measure()
    const isLow = diskBytes < Math.max(floors.diskBytes / 2, leastLowBytes)
    if (isLow) {
      if (await exists(ballast)) {
        await rm(ballast, { force: true })
        log.error({ disk_free_bytes: diskBytes }, 'disk is nearly full, ballast freed')
      }
      await onDiskLow()
    } else if (diskBytes > floors.diskBytes + 2 * ballastBytes && !(await exists(ballast))) {
      // Random, so that no file system packs it.
      await writeFileAtomic(ballast, randomBytes(ballastBytes))
      crashPoint('start.ballast_made')
    }
  }
}

/** What is short; pure. */
export function shortageOf(room: Room, floors: Room): Shortage | undefined {
  const short = (resource: Shortage['resource'], has: number, least: number): Shortage | undefined =>
    has < least ? { resource, free_bytes: Math.floor(has), floor_bytes: Math.floor(least) } : undefined
  return short('disk', room.diskBytes, floors.diskBytes) ?? short('memory', room.memoryBytes, floors.memoryBytes)
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return false
      throw cause
    },
  )
}
