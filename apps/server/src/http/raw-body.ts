/** A request's body as bytes: unpacked, and bounded by what it unpacks to. */
import type { IncomingMessage } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ApiError } from '@iac-agent/protocol'
import { gunzip } from '../store/gunzip.js'

/** Refusing a body must not destroy the request: its socket still has to carry the answer. Node drops the rest after that. */
const keepOpen = { destroyOnReturn: false }

export class RawBody {
  constructor(
    private readonly message: IncomingMessage,
    /** media type without parameters, lower case; empty when the request has none */
    readonly contentType: string,
    /** bytes, unpacked */
    readonly limitBytes: number,
  ) {}

  /** The bytes as they come; errors with ApiError `too_large`, or `invalid_request` for a broken gzip stream. */
  stream(): Readable {
    const isPacked = this.#isPacked()
    this.#refuseDeclared(this.limitBytes)
    const received = Readable.from(bounded(this.message.iterator(keepOpen), this.limitBytes), { objectMode: false })
    return isPacked ? Readable.from(unpacked(received, this.limitBytes), { objectMode: false }) : received
  }

  /** The whole body in memory. @param limitBytes a tighter bound than the contract's */
  async bytes(limitBytes: number = this.limitBytes): Promise<Buffer> {
    return (await this.whole(limitBytes)).bytes
  }

  /** As `bytes`, and with what was received when that is gzip. */
  async whole(limitBytes: number = this.limitBytes): Promise<{ bytes: Buffer; packed: Buffer | undefined }> {
    const isPacked = this.#isPacked()
    this.#refuseDeclared(limitBytes)
    const received = await collected(this.message, limitBytes)
    return isPacked
      ? { bytes: gunzipBounded(received, limitBytes), packed: received }
      : { bytes: received, packed: undefined }
  }

  #isPacked(): boolean {
    const encoding = (this.message.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
    if (encoding === 'identity' || encoding === '') return false
    if (encoding === 'gzip') return true
    throw new ApiError(
      'unsupported_media_type',
      `content encoding ${encoding.slice(0, 40)} is not taken; use gzip or none`,
    )
  }

  /** As received, packed or not; 0 when nobody said. */
  get declaredBytes(): number {
    return Number(this.message.headers['content-length'] ?? 0)
  }

  #refuseDeclared(limitBytes: number): void {
    if (this.declaredBytes > limitBytes) throw tooLarge(limitBytes)
  }
}

export function tooLarge(limitBytes: number): ApiError {
  return new ApiError('too_large', `the body is larger than ${limitBytes} bytes`, { limit_bytes: limitBytes })
}

/** All of it, whose declared length is within the limit. A small body comes with its head: it is here, whole, after that. */
async function collected(message: IncomingMessage, limitBytes: number): Promise<Buffer> {
  await undefined
  const isHere = message.readableLength > 0 && message.readableLength === Number(message.headers['content-length'])
  if (!isHere || message.destroyed) return flowing(message, limitBytes)
  const bytes: Buffer = message.read()
  message.resume() // to its end, which is still to come
  return bytes
}

/** By its events: an iterator costs more. */
function flowing(message: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limitBytes) settle(() => reject(tooLarge(limitBytes)))
      else chunks.push(chunk)
    }
    const onEnd = () => settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    const onError = (err: Error) => settle(() => reject(err))
    const onClose = () => settle(() => reject(cutOff()))
    /** The stream flows on: what a refused caller still sends is dropped. */
    const settle = (end: () => void) => {
      message.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
      end()
    }
    message.on('data', onData).once('end', onEnd).once('error', onError).once('close', onClose)
    if (message.destroyed) onClose()
  })
}

/** As Node.js calls a request whose caller has left. */
function cutOff(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
}

async function* bounded(source: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > limitBytes) throw tooLarge(limitBytes)
    yield chunk
  }
}

async function* unpacked(packed: Readable, limitBytes: number): AsyncGenerator<Buffer> {
  try {
    yield* bounded(pipeline(packed, createGunzip(), ignoreEnd), limitBytes)
  } catch (err) {
    throw isZlibFault(err) ? brokenGzip(err) : err
  }
}

function gunzipBounded(packed: Buffer, limitBytes: number): Buffer {
  try {
    return gunzip(packed, limitBytes)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limitBytes)
    throw brokenGzip(err)
  }
}

function isZlibFault(err: unknown): boolean {
  const code = (err as NodeJS.ErrnoException).code
  return typeof code === 'string' && code.startsWith('Z_')
}

function brokenGzip(cause: unknown): ApiError {
  const error = new ApiError('invalid_request', 'the body is not valid gzip')
  error.cause = cause
  return error
}

/** The reader of the stream sees the error; nothing else waits for the pipeline. */
function ignoreEnd(): void {}
