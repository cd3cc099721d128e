/**
 * Room kept back on the data disk, as a file: given back the moment the disk refuses a state or a fact, so that what matters fits when
 * output has filled the rest. Text is no such thing: it waits until there is room beside that.
 */
import { randomBytes } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { type Logger, writeFileAtomic } from '@iac-agent/runtime'
import { crashPoint } from './crash-points.js'

export interface BallastParts {
  /** Path of the file. */
  path: string
  /** Bytes free on its disk now. */
  freeBytes(): number
  /** Below it no work is taken; below half of it outputs may lose lines. */
  floorBytes: number
  log: Logger
}

const ballastBytes = 8 * 1024 * 1024
/** Lower than this a disk is as good as full, whatever the floor. */
const leastLowBytes = 1024 * 1024

export class Ballast {
  private constructor(
    private readonly parts: BallastParts,
    /** Given back and not taken again: what is free belongs to states and facts. */
    private isSpent: boolean,
  ) {}

  static async open(parts: BallastParts): Promise<Ballast> {
    return new Ballast(parts, !(await exists(parts.path)))
  }

  get freeBytes(): number {
    return this.parts.freeBytes()
  }

  /** Whoever has an output growing may lose lines of it. */
  get isLow(): boolean {
    return !this.hasRoomForText || this.freeBytes < Math.max(this.parts.floorBytes / 2, leastLowBytes)
  }

  get hasRoomForText(): boolean {
    return !this.isSpent || this.freeBytes > ballastBytes + leastLowBytes
  }

  /** The disk refused something that matters. Answers whether there is room now that was not there before. */
  async giveBack(): Promise<boolean> {
    const { path, log } = this.parts
    const wasThere = await exists(path)
    this.isSpent = true
    if (!wasThere) return false
    await rm(path, { force: true })
    log.error({ disk_free_bytes: this.freeBytes }, 'disk is full, ballast given back')
    return true
  }

  /** Takes the room again once there is plenty. */
  async refill(): Promise<void> {
    const { path, floorBytes } = this.parts
    if (this.freeBytes <= floorBytes + 2 * ballastBytes) return
    if (!(await exists(path))) {
      await writeFileAtomic(path, randomBytes(ballastBytes)) // random, so that no file system packs it
      crashPoint('start.ballast_made')
    }
    this.isSpent = false
  }
}

/** Does `write`; when the disk refuses it for want of room, gives the ballast back and does it once more. */
export async function withBallast<T>(ballast: Pick<Ballast, 'giveBack'>, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!isDiskFull(error) || !(await ballast.giveBack())) throw error
    return await write()
  }
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

/** Where nothing is kept back. */
export const noBallast = { giveBack: async () => false, hasRoomForText: true, isLow: false, freeBytes: 0 } as const

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return false
      throw cause
    },
  )
}
