import { randomBytes } from 'node:crypto'
import { constants, createDeflateRaw, type DeflateRaw, deflateRawSync } from 'node:zlib'
import { limits } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { BadFrame, InflaterPool } from './inflater-pool.js'

/** One connection's sender: a raw-deflate stream, sync-flushed per frame. */
class Sender {
  readonly #deflate: DeflateRaw = createDeflateRaw()
  #pieces: Buffer[] = []
  constructor() {
    this.#deflate.on('data', (piece: Buffer) => this.#pieces.push(piece))
  }

  frame(text: string | Buffer): Promise<Buffer> {
    this.#deflate.write(text)
    return new Promise((resolve) =>
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
        resolve(Buffer.concat(this.#pieces))
        this.#pieces = []
      }),
    )
  }
}

describe('inflating live frames', () => {
  it('inflates frame by frame of one stream, byte for byte', async () => {
    const stream = new InflaterPool().take()
    const sender = new Sender()
    for (const text of ['first line\n', 'first line, again\n', 'x'.repeat(300_000), 'ü'.repeat(10)]) {
      expect(stream.inflate(await sender.frame(text)).toString()).toBe(text)
    }
  })

  it('inflates what hardly compresses, up to the bound of a frame', async () => {
    const bytes = randomBytes(limits.liveFrameBytes - 256)
    expect(
      new InflaterPool()
        .take()
        .inflate(await new Sender().frame(bytes))
        .equals(bytes),
    ).toBe(true)
  })

  it('takes the next connection into the same inflater, out of sight of the last text', async () => {
    const pool = new InflaterPool()
    const first = pool.take()
    first.inflate(await new Sender().frame('secret of the first agent'))
    pool.release(first)
    expect(pool.size).toBe(1)
    const second = pool.take()
    expect(pool.size).toBe(0)
    expect(second.inflate(await new Sender().frame('second agent')).toString()).toBe('second agent')
  })

  it('shows nothing of the last connection to one that refers back into its text', async () => {
    const secret = 'secret of the first agent'
    const spy = deflateRawSync(secret, { dictionary: Buffer.from(secret), finishFlush: constants.Z_SYNC_FLUSH })
    const pool = new InflaterPool()
    const first = pool.take()
    first.inflate(await new Sender().frame(secret))
    expect(first.inflate(spy).toString()).toBe(secret) // in its own stream the reference is good
    pool.release(first)
    expect(pool.take().inflate(spy).includes('secret')).toBe(false)
  })

  it('refuses a frame that inflates beyond its bound, and the stream with it', async () => {
    const sender = new Sender()
    const bomb = await sender.frame(Buffer.alloc(limits.liveFrameInflatedBytes + 1))
    expect(bomb.length).toBeLessThan(limits.liveFrameBytes)
    const pool = new InflaterPool()
    const stream = pool.take()
    expect(() => stream.inflate(bomb)).toThrow(BadFrame)
    expect(() => stream.inflate(Buffer.from('more'))).toThrow(BadFrame)
    pool.release(stream)
    expect(pool.size).toBe(0)
  })

  it('refuses a frame that is too large, or no deflate', () => {
    const pool = new InflaterPool()
    expect(() => pool.take().inflate(Buffer.alloc(limits.liveFrameBytes + 1))).toThrow('too large')
    expect(() => pool.take().inflate(Buffer.from('garbage here!!'))).toThrow('no continuation')
  })

  it('does not keep an inflater that was left inside a block', async () => {
    const pool = new InflaterPool()
    const stream = pool.take()
    const frame = await new Sender().frame('a text long enough to be cut in its middle, twice over')
    stream.inflate(frame.subarray(0, 10))
    pool.release(stream)
    expect(pool.size).toBe(0)
  })
})
