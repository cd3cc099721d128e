/** Log bytes as frames over the C&C socket: each connection is one raw-deflate stream, sync-flushed per frame. */
import { constants, createDeflateRaw, type DeflateRaw } from 'node:zlib'
import type { LiveLogHeader } from '@iac-agent/protocol'

/** Largest piece whose frame stays within `limits.liveFrameBytes` (16 KiB) even when it does not compress at all. Bytes. */
const livePieceBytes = 15 * 1024

/** Where frames go: one connection. */
export interface FrameSink {
  /** Resolves when the frame is with the operating system; rejects when the connection is gone. */
  sendFrame(frame: Buffer): Promise<void>
}

export class LiveLane {
  #connection: LiveConnection | undefined

  /** True while frames can be sent. */
  get isOpen(): boolean {
    return this.#connection !== undefined
  }

  /** A new connection starts a new stream; undefined: there is none. */
  attach(sink: FrameSink | undefined): void {
    this.#connection?.close()
    this.#connection = sink === undefined ? undefined : new LiveConnection(sink)
  }

  /** Sends `bytes`, which stand at `header.offset`, in order with all calls before. False: the connection went; nothing is known to have arrived. */
  async send(header: LiveLogHeader, bytes: Buffer): Promise<boolean> {
    const connection = this.#connection
    if (connection === undefined) return false
    const frames: Promise<boolean>[] = []
    for (let at = 0; at < bytes.length; at += livePieceBytes) {
      frames.push(connection.send({ ...header, offset: header.offset + at }, bytes.subarray(at, at + livePieceBytes)))
    }
    return (await Promise.all(frames)).every((isSent) => isSent)
  }
}

class LiveConnection {
  readonly #deflate: DeflateRaw = createDeflateRaw({ readableHighWaterMark: 64 * 1024 } as object)
  readonly #sink: FrameSink
  #last: Promise<boolean> = Promise.resolve(true)
  #isClosed = false

  constructor(sink: FrameSink) {
    this.#sink = sink
    this.#deflate.on('error', () => this.close()) // ends this stream; the next connection has its own
  }

  send(header: LiveLogHeader, bytes: Buffer): Promise<boolean> {
    this.#last = this.#last.then(async (isWhole) => isWhole && !this.#isClosed && this.#frame(header, bytes))
    return this.#last
  }

  close(): void {
    this.#isClosed = true
    this.#deflate.close() // a second time does nothing
  }

  async #frame(header: LiveLogHeader, bytes: Buffer): Promise<boolean> {
    this.#deflate.write(`${JSON.stringify(header)}\n`)
    this.#deflate.write(bytes)
    const isFlushed = await new Promise<boolean>((resolve) => {
      this.#deflate.once('close', () => resolve(false))
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(true))
    })
    this.#deflate.removeAllListeners('close')
    if (!isFlushed || this.#isClosed) return false
    try {
      await this.#sink.sendFrame(this.#deflate.read() as Buffer)
      return true
    } catch {
      return false // the connection is gone: the answer this method promises
    }
  }
}
