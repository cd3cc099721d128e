import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogWriter, type LogWriterOptions } from './log-writer.js'
import { compileRedaction, redactText } from './redactor.js'
import type { Spool } from './spool.js'

const redaction = compileRedaction(['hunter22', 'correct-horse'])
const never = new Promise<number>(() => undefined)
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-writer-'))
})
afterEach(() => rm(folder, { recursive: true }))

const path = (name: string) => join(folder, name)
const open = (more: Partial<LogWriterOptions> = {}) =>
  LogWriter.open({
    rawPath: path('raw'),
    spoolPath: path('spool'),
    checkpointPath: path('ck'),
    redaction,
    log: silentLogger(),
    ...more,
  })

async function holds(spool: Spool, bytes: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => {
      if (spool.durableBytes >= bytes) resolve()
    }
    spool.onChange(look)
    look()
  })
}

describe('the log writer', () => {
  it('waits for a raw file that is not there yet and ends when the closed size is consumed', async () => {
    await using writer = await open()
    let close: (bytes: number) => void = () => undefined
    const running = writer.run(new AbortController().signal, new Promise((resolve) => (close = resolve)))
    await writeFile(path('raw'), 'one hunter22\n')
    await holds(writer.spool, 15)
    expect((await writer.spool.read(0, Buffer.alloc(100))).toString()).toBe('one [redacted]\n')
    await appendFile(path('raw'), 'two')
    close(16)
    await running
    expect(writer.spool.isEnded).toBe(true)
    expect((await writer.spool.read(15, Buffer.alloc(100))).toString()).toBe('two')
  })

  it('cuts off text beyond the checkpoint and makes it again', async () => {
    await writeFile(path('raw'), 'one\ntwo\n')
    {
      await using writer = await open()
      const stop = new AbortController()
      const running = writer.run(stop.signal, never)
      await holds(writer.spool, 8)
      stop.abort()
      await running
    }
    await appendFile(path('spool'), 'torn by a crash')
    await appendFile(path('ck'), '{"spoolBytes":9')
    await appendFile(path('raw'), 'three\n')
    await using writer = await open()
    expect(writer.spool.durableBytes).toBe(8)
    await writer.run(new AbortController().signal, Promise.resolve(14))
    expect(await readFile(path('spool'), 'utf8')).toBe('one\ntwo\nthree\n')
  })

  it('passes over a checkpoint that is beyond the spool after a power cut', async () => {
    await checkpointsAt(4, 8)
    await truncate(path('spool'), 6)
    await using writer = await open()
    expect(writer.spool.durableBytes).toBe(4)
    await writer.run(new AbortController().signal, Promise.resolve(12))
    expect(await readFile(path('spool'), 'utf8')).toBe('one\ntwo\ntwo\n')
  })

  it('passes over a checkpoint whose text a power cut left as zeros', async () => {
    await checkpointsAt(4, 8, 12)
    await truncate(path('spool'), 10)
    await truncate(path('spool'), 12)
    await using writer = await open()
    expect(writer.spool.durableBytes).toBe(8)
    await writer.run(new AbortController().signal, Promise.resolve(16))
    expect(await readFile(path('spool'), 'utf8')).toBe('one\ntwo\ntwo\ntwo\n')
  })

  it('goes on behind what a power cut left of the raw file', async () => {
    await writeFile(path('raw'), 'one\ntwo\n')
    {
      await using writer = await open()
      const stop = new AbortController()
      const running = writer.run(stop.signal, never)
      await holds(writer.spool, 8)
      stop.abort()
      await running
    }
    await truncate(path('raw'), 4)
    await using writer = await open()
    await appendFile(path('raw'), 'the host went down\n')
    await writer.run(new AbortController().signal, Promise.resolve(23))
    expect(await readFile(path('spool'), 'utf8')).toBe('one\ntwo\nthe host went down\n')
  })

  it('ends the text where it is when the run is over and the disk keeps no room for it, and says so first', async () => {
    await writeFile(path('raw'), 'one\n')
    const disk = { hasRoomForText: true }
    const told: boolean[] = []
    const onTextLost = async () => void told.push(writer.spool.isEnded)
    await using writer = await open({ disk, onTextLost })
    let close: (bytes: number) => void = () => undefined
    const running = writer.run(new AbortController().signal, new Promise((resolve) => (close = resolve)))
    await holds(writer.spool, 4)
    disk.hasRoomForText = false
    await appendFile(path('raw'), 'two\n')
    close(8)
    await running
    expect([writer.spool.durableBytes, writer.spool.isEnded, told]).toEqual([4, true, [false]])
  }, 20_000)

  it('gives the same text whenever it is stopped and started, and never changes what was durable', async () => {
    const piece = fc.constantFrom('hunter22', 'hunt', 'er22', 'correct-horse', 'correct-', 'horse', '\n', 'x', 'yy ')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 6 }), { minLength: 1, maxLength: 5 }), async (starts) => {
        await Promise.all(['raw', 'spool', 'ck'].map((name) => rm(path(name), { force: true })))
        let raw = ''
        let seen: Buffer = Buffer.alloc(0)
        for (const pieces of starts) {
          raw += pieces.join('')
          await writeFile(path('raw'), raw)
          await using writer = await open()
          expect(await writer.spool.read(0, Buffer.alloc(seen.length))).toEqual(seen)
          const stop = new AbortController()
          const running = writer.run(stop.signal, never)
          setImmediate(() => stop.abort())
          await running
          seen = await writer.spool.read(0, Buffer.alloc(writer.spool.durableBytes))
        }
        await using writer = await open()
        await writer.run(new AbortController().signal, Promise.resolve(Buffer.byteLength(raw)))
        expect(await readFile(path('spool'), 'utf8')).toBe(redactText(redaction, raw))
      }),
      { numRuns: 20 },
    )
  })
})

/** A line, then one more each time a writer has brought the text to one of the sizes and left: a checkpoint at each. */
async function checkpointsAt(...sizes: number[]): Promise<void> {
  await writeFile(path('raw'), 'one\n')
  for (const size of sizes) {
    await using writer = await open()
    const stop = new AbortController()
    const running = writer.run(stop.signal, never)
    await holds(writer.spool, size)
    stop.abort()
    await running
    await appendFile(path('raw'), 'two\n')
  }
}
