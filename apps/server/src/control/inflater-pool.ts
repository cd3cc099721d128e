/**
 * Inflates the agents' live-log frames: one raw-deflate stream per connection, sync-flushed per frame, inside the message
 * handler. zlib-sync never frees a dropped inflater (about 85 KiB each), so they are pooled; it has no bound on its output and
 * never throws, so both are looked after here.
 */
import { limits } from '@iac-agent/protocol'
import zlib from 'zlib-sync'

/** A frame that is no continuation of its stream, or inflates beyond its bound. The stream cannot go on. */
export class BadFrame extends Error {
  readonly code = 'bad_frame'
}

/** Compressed bytes taken at once: deflate grows at most 1032-fold, so no step makes more than 264 KiB. */
const stepBytes = 256
const windowBytes = 32 * 1024
/** One stored block of zeros as long as deflate can look back: the next stream cannot refer to the last one's text. */
const blank = Buffer.concat([Buffer.from([0x00, 0x00, 0x80, 0xff, 0x7f]), Buffer.alloc(windowBytes)])

export class InflaterPool {
  readonly #free: zlib.Inflate[] = []

  /** A stream from its beginning; give it back with `release`. */
  take(): InflateStream {
    return new InflateStream(this.#free.pop() ?? new zlib.Inflate({ windowBits: -15, chunkSize: 64 * 1024 }))
  }

  /** Keeps the inflater for the next stream when it stands at a flush boundary and could be wiped; else lets it go. */
  release(stream: InflateStream): void {
    const inflater = stream.end()
    if (inflater === undefined) return
    const wiped = push(inflater, blank)
    if (wiped?.length === windowBytes && wiped.every((byte) => byte === 0)) this.#free.push(inflater)
  }

  get size(): number {
    return this.#free.length
  }
}

/** One connection's stream. After a BadFrame it takes no more. */
export class InflateStream {
  #inflater: zlib.Inflate | undefined

  constructor(inflater: zlib.Inflate) {
    this.#inflater = inflater
  }

  /**
   * The bytes of one frame.
   * @throws BadFrame when it is too large, packed or unpacked, or damaged
   */
  inflate(frame: Buffer): Buffer {
    const inflater = this.#inflater
    if (inflater === undefined) throw new BadFrame('the stream was damaged before')
    if (frame.length > limits.liveFrameBytes) throw this.#broken(`a frame of ${frame.length} bytes is too large`)
    const pieces: Buffer[] = []
    let size = 0
    for (let from = 0; from < frame.length; from += stepBytes) {
      const piece = push(inflater, frame.subarray(from, from + stepBytes))
      if (piece === undefined) throw this.#broken('a frame is no continuation of the stream')
      size += piece.length
      if (size > limits.liveFrameInflatedBytes) throw this.#broken('a frame inflates beyond its bound')
      pieces.push(piece)
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, size)
  }

  /** Hands the inflater back; undefined when it is of no more use. */
  end(): zlib.Inflate | undefined {
    const inflater = this.#inflater
    this.#inflater = undefined
    return inflater
  }

  #broken(problem: string): BadFrame {
    this.#inflater = undefined
    return new BadFrame(problem)
  }
}

/** Undefined on an error. */
function push(inflater: zlib.Inflate, bytes: Buffer): Buffer | undefined {
  inflater.push(bytes, zlib.Z_SYNC_FLUSH)
  if (inflater.err < 0 && inflater.err !== zlib.Z_BUF_ERROR) return undefined
  return Buffer.isBuffer(inflater.result) ? inflater.result : Buffer.alloc(0)
}
