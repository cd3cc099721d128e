/** The hand-written minimum: reads a file, packs it and posts it, one request in flight, the next piece packed meanwhile. No protocol. */
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { limits } from '@iac-agent/protocol'
import { type Dispatcher, request } from 'undici'

const pack = promisify(gzip)
/** As the agent's log lane packs it. */
const level = 1

/** Sends `file` as one stream. */
export async function sendFile(file: string, url: string, dispatcher: Dispatcher): Promise<void> {
  const handle = await open(file, 'r')
  try {
    let inFlight: Promise<void> = Promise.resolve()
    for (let at = 0; ; at += limits.logChunkBytes) {
      const { bytesRead, buffer } = await handle.read(
        Buffer.allocUnsafe(limits.logChunkBytes),
        0,
        limits.logChunkBytes,
        at,
      )
      if (bytesRead === 0) break
      const packed = await pack(buffer.subarray(0, bytesRead), { level })
      await inFlight
      inFlight = post(url, packed, dispatcher)
    }
    await inFlight
  } finally {
    await handle.close()
  }
}

async function post(url: string, body: Buffer, dispatcher: Dispatcher): Promise<void> {
  const { statusCode, body: answer } = await request(url, {
    method: 'POST',
    body,
    dispatcher,
    headers: { 'content-encoding': 'gzip' },
  })
  await answer.dump()
  if (statusCode !== 200) throw new Error(`the sink answered ${statusCode}`)
}
