import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eventually, type FaultProxy, startFaultProxy } from '../src/index.js'
import { listening, urlOf } from './_util/peer.js'

let requests: { request: IncomingMessage; body: Promise<Buffer | undefined> }[]
let server: Server
let proxy: FaultProxy

beforeEach(async () => {
  requests = []
  server = createServer((request, response) => {
    const body = buffer(request).catch(() => undefined) // cut off
    requests.push({ request, body })
    void body.then((whole) => response.end(`${whole?.length} bytes`))
  })
  await listening(server)
  proxy = await startFaultProxy({ target: urlOf(server) })
})
afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  expect(proxy.counts.open).toBe(0)
  await new Promise((resolve) => server.close(resolve))
})

it('cuts one connection in the middle of a request', async () => {
  proxy.cutAfter(10_000)
  await expect(post(100_000)).rejects.toThrow('fetch failed')
  expect(requests).toHaveLength(1)
  expect(await requests[0]?.body).toBeUndefined()
  expect(proxy.counts).toMatchObject({ bytesUp: 10_000, bytesDown: 0, cutInTheMiddle: 1 })
  expect(await post(100_000)).toBe('100000 bytes')
})

it('counts from the call on, also on a connection that is kept alive', async () => {
  expect(await post(5_000)).toBe('5000 bytes')
  proxy.cutAfter(1_000)
  await expect(post(5_000)).rejects.toThrow('fetch failed')
  expect(proxy.counts.cutInTheMiddle).toBe(1)
})

it('sends a request twice and drops the second answer', async () => {
  proxy.duplicate()
  expect(await post(70_000, { connection: 'close' })).toBe('70000 bytes')
  await eventually('the second one', () => requests.length === 2)
  const [first, second] = await Promise.all(requests.map(({ body }) => body))
  expect(second).toEqual(first)
  expect(await post(10, { connection: 'close' })).toBe('10 bytes')
  expect(requests).toHaveLength(3)
  expect(proxy.counts.duplicates).toBe(1)
})

it('answers nobody whose answer is swallowed, though the server has the request', async () => {
  proxy.blackhole('down')
  const answer = post(1_000)
  await eventually('the request', () => requests.length === 1)
  expect((await requests[0]?.body)?.length).toBe(1_000)
  await eventually('the answer is gone', () => proxy.counts.bytesSwallowed > 0)
  proxy.heal()
  await expect(answer).rejects.toThrow('fetch failed')
})

async function post(bytes: number, headers: Record<string, string> = {}): Promise<string> {
  return await (await fetch(proxy.url, { method: 'POST', body: randomBytes(bytes), headers })).text()
}
