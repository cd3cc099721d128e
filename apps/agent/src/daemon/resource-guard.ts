/** Keeps this host able to end what it runs: takes no new work below the floors, and marks the logs that may lose lines while the disk is low. */
import type { Shortage } from '@iac-agent/protocol'
import { type Logger, Loop } from '@iac-agent/runtime'
import type { Ballast } from '../journal/ballast.js'

export interface Room {
  diskBytes: number
  memoryBytes: number
}

export interface ResourceGuardParts {
  /** Below these no work is taken; 0 turns a floor off. */
  floors: Room
  /** What is free now. */
  measure(): Room
  /** On the disk that is measured. */
  ballast: Pick<Ballast, 'isLow' | 'refill'>
  /** The disk ran low: whoever has an output growing says so of it. Asked again while it is low. */
  onDiskLow(): Promise<void>
  log: Logger
}

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
    const { ballast, onDiskLow } = this.parts
    await (ballast.isLow ? onDiskLow() : ballast.refill())
  }
}

/** What is short; pure. */
export function shortageOf(room: Room, floors: Room): Shortage | undefined {
  const short = (resource: Shortage['resource'], has: number, least: number): Shortage | undefined =>
    has < least ? { resource, free_bytes: Math.floor(has), floor_bytes: Math.floor(least) } : undefined
  return short('disk', room.diskBytes, floors.diskBytes) ?? short('memory', room.memoryBytes, floors.memoryBytes)
}
