import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, type FaultProxy, startFaultProxy } from '../src/index.js'
import { clientOf, listening, Peer, urlOf } from './_util/peer.js'

let server: Server
/** The server's ends, in the order they came. */
let ends: Peer[]
let proxy: FaultProxy

beforeEach(async () => {
  ends = []
  server = createServer({ allowHalfOpen: true }, (socket) => ends.push(new Peer(socket)))
  await listening(server)
  proxy = await startFaultProxy({ target: urlOf(server) })
})
afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  expect(proxy.counts.open).toBe(0)
  for (const { socket } of ends) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

describe('without a fault', () => {
  it('carries bytes both ways, and the end of one way alone', async () => {
    const [client, end] = await pair()
    client.socket.end('question')
    await end.gets('question')
    await eventually('the end', () => end.isEnded)
    expect(client.isEnded).toBe(false)
    end.socket.end('answer')
    await client.gets('answer')
    await eventually('both ends', () => client.isEnded && proxy.counts.open === 0)
    expect([client.fault, end.fault]).toEqual([undefined, undefined])
    expect(proxy.counts).toMatchObject({ connections: 1, bytesUp: 8, bytesDown: 6 })
  })

  it('leaves what nobody reads with the sender, and then loses none of it', async () => {
    const bytes = randomBytes(64 * 1024 * 1024)
    const [client, end] = await pair()
    end.socket.pause()
    const isWritten = new Promise((resolve) => client.socket.end(bytes, () => resolve(undefined)))
    await eventually('the proxy is full', () => isStill(() => proxy.counts.bytesUp))
    expect(proxy.counts.bytesUp).toBeLessThan(bytes.length / 2)
    end.socket.resume()
    await isWritten
    await eventually('the end', () => end.isEnded)
    expect(digest(end.received)).toBe(digest(bytes))
  })

  it('resets a client whose server is down, and serves it at the same address when it is back', async () => {
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const refused = clientOf(proxy.url)
    await refused.reset()
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const [client, end] = await pair()
    client.socket.write('again')
    await end.gets('again')
  })

  it('passes a reset on', async () => {
    const [client, end] = await pair()
    end.socket.resetAndDestroy()
    await client.reset()
  })
})

it('cuts all connections of now, in order', async () => {
  const [client, end] = await pair()
  proxy.cut()
  await eventually('both ends', () => client.isEnded && end.isEnded)
  for (const { socket } of [client, end]) {
    socket.write('too late, but no fault')
    await eventually('it is gone', () => isStill(() => socket.bytesWritten))
    socket.end('and again')
  }
  await eventually('nothing open', () => client.isClosed && end.isClosed && proxy.counts.open === 0)
  expect([client.fault, end.fault]).toEqual([undefined, undefined])
  const [next] = await pair()
  expect(next.isEnded).toBe(false)
})

it('does not keep a cut connection for a side that will not end', async () => {
  await pair()
  proxy.cut()
  await eventually('nothing open', () => proxy.counts.open === 0)
})

it('resets all connections of now', async () => {
  const pairs = [await pair(), await pair()]
  proxy.reset()
  for (const peer of pairs.flat()) await peer.reset()
  await eventually('nothing open', () => proxy.counts.open === 0)
})

it('refuses new connections and leaves the old ones alone', async () => {
  const [client, end] = await pair()
  proxy.refuse(true)
  await clientOf(proxy.url).reset()
  client.socket.write('still here')
  await end.gets('still here')
  proxy.refuse(false)
  await pair()
})

describe('a blackhole', () => {
  it.each(['up', 'down', 'both'] as const)(
    '%s swallows that way, keeps connections open, and resets them on healing',
    async (way) => {
      const [client, end] = await pair()
      const [quiet] = await pair()
      proxy.blackhole(way)
      client.socket.write('question')
      end.socket.write('answer')
      if (way === 'up') await client.gets('answer')
      if (way === 'down') await end.gets('question')
      const newcomer = clientOf(proxy.url)
      await once(newcomer.socket, 'connect')
      newcomer.socket.write('hello?')
      const swallowed = { up: 'questionhello?', down: 'answer', both: 'questionhello?answer' }[way]
      await eventually('all is swallowed', () => proxy.counts.bytesSwallowed === swallowed.length)
      const lost = way === 'both' ? [client, end] : [way === 'up' ? end : client]
      for (const peer of lost) expect([peer.received.length, peer.isClosed]).toEqual([0, false])
      expect(client.isClosed || end.isClosed || newcomer.isClosed).toBe(false)
      proxy.blackhole(null)
      await client.reset()
      await end.reset()
      quiet.socket.write('was never hit')
      await ends[1]?.gets('was never hit')
    },
  )

  it('hides the death of a side from the other', async () => {
    const [client, end] = await pair()
    proxy.blackhole('both')
    client.socket.resetAndDestroy()
    await eventually('all is quiet', () => isStill(() => proxy.counts.open))
    expect(end.isClosed).toBe(false)
    proxy.heal()
    await end.reset()
  })
})

it('delays each piece and keeps the order', async () => {
  const [client, end] = await pair()
  proxy.delay(150)
  const startedAt = performance.now()
  for (const word of ['one ', 'two ', 'three']) {
    client.socket.write(word)
    await new Promise(setImmediate)
  }
  await end.gets('one two three')
  expect(performance.now() - startedAt).toBeGreaterThan(145)
  proxy.delay(60_000)
  client.socket.write(', four')
  await eventually('the piece waits', () => isStill(() => end.received.length))
  proxy.heal()
  await end.gets('one two three, four')
})

it('throttles', async () => {
  const [client, end] = await pair()
  proxy.throttle(10_000)
  const startedAt = performance.now()
  client.socket.write('x'.repeat(4_000))
  await end.gets('x'.repeat(4_000))
  expect(performance.now() - startedAt).toBeGreaterThan(390)
  proxy.throttle(1)
  client.socket.write('yyy')
  await eventually('a byte', () => end.received.length > 4_000)
  proxy.throttle(null)
  await end.gets(`${'x'.repeat(4_000)}yyy`)
})

/** A client and the server's end of the same connection. */
async function pair(): Promise<[Peer, Peer]> {
  const known = ends.length
  const client = clientOf(proxy.url)
  return [client, await eventually('the connection', () => ends[known])]
}

/** Whether an answer stays the same for a while: then nothing is moving any more. */
async function isStill(answer: () => unknown): Promise<boolean> {
  const before = answer()
  for (let look = 0; look < 20; look++) {
    await elapsed(5)
    if (answer() !== before) return false
  }
  return true
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
