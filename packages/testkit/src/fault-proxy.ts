/** A TCP proxy whose network breaks on demand: one in front of a server for each agent; it knows nothing of what it carries. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Faults, type Way } from './fault-proxy/faults.js'
import { Link } from './fault-proxy/link.js'

/** Faults add up; each lasts until it is taken back or healed, unless it says otherwise. */
export interface FaultProxy extends AsyncDisposable {
  /** The same for its whole life, whatever becomes of the target. */
  readonly url: string
  /** Ends all connections of now in order (FIN to both sides). */
  cut(): void
  /** Ends all connections of now by RST. */
  reset(): void
  /** New connections are reset at once: to this client the server is down. */
  refuse(isRefusing: boolean): void
  /** Bytes, ends and errors of that way vanish, and connections stay open. A way that carries again resets those that miss something of it. */
  blackhole(way: Way | 'both' | null): void
  /** Each piece arrives so much later, in order; 0 ends it. */
  delay(ms: number): void
  /** Of each connection and way; null ends it. */
  throttle(bytesPerSecond: number | null): void
  /** Once: of all connections, the first to carry so many bytes upwards from now on is reset after them. */
  cutAfter(bytes: number): void
  /** Once: what the next new connection sends before its first answer is then sent again, on a connection whose answer is dropped. */
  duplicate(): void
  /** Ends all of the above. */
  heal(): void
  readonly counts: Readonly<ProxyCounts>
}

export interface ProxyCounts {
  /** Accepted so far. */
  connections: number
  /** Of these, with a socket left on either side. */
  open: number
  /** Passed on so far. */
  bytesUp: number
  bytesDown: number
  /** By a blackhole. */
  bytesSwallowed: number
  /** Requests sent again by `duplicate`. */
  duplicates: number
  /** Connections ended by `cutAfter`. */
  cutInTheMiddle: number
}

/** @param options.target the server's URL, of which only host and port count */
export async function startFaultProxy(options: { target: string }): Promise<FaultProxy> {
  const { hostname, port } = new URL(options.target)
  const target = { host: hostname, port: Number(port) }
  const faults = new Faults()
  const links = new Set<Link>()
  const repeats = new Set<Socket>()
  const counts: ProxyCounts = {
    connections: 0,
    open: 0,
    bytesUp: 0,
    bytesDown: 0,
    bytesSwallowed: 0,
    duplicates: 0,
    cutInTheMiddle: 0,
  }
  let allowance: number | undefined
  let isDuplicating = false

  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    cut: () => each((link) => link.cut()),
    reset: () => each((link) => link.reset()),
    refuse: (isRefusing) => faults.change({ isRefusing }),
    blackhole(way) {
      faults.change({ swallowed: way })
      each((link) => link.settle())
    },
    delay: (delayMs) => faults.change({ delayMs }),
    throttle: (bytesPerSecond) => faults.change({ bytesPerSecond }),
    cutAfter: limit,
    duplicate() {
      isDuplicating = true
    },
    heal() {
      faults.heal()
      limit(undefined)
      isDuplicating = false
      each((link) => link.settle())
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      faults.heal()
      each((link) => link.reset())
      for (const socket of repeats) socket.destroy()
      await Promise.all([closed, ...[...links].map((link) => link.closed)])
    },
  }

  function accept(client: Socket): void {
    counts.connections++
    if (faults.now.isRefusing) {
      client.resetAndDestroy()
      return
    }
    counts.open++
    const link = new Link({
      client,
      target,
      faults,
      onCarried,
      onSwallowed,
      onUsedUp,
      ...(isDuplicating ? { onAnswered } : {}),
    })
    isDuplicating = false
    link.limit(allowance)
    links.add(link)
    void link.closed.then(() => {
      links.delete(link)
      counts.open--
    })
  }

  function onCarried(way: Way, bytes: number): void {
    if (way === 'up') counts.bytesUp += bytes
    else counts.bytesDown += bytes
  }

  function onSwallowed(bytes: number): void {
    counts.bytesSwallowed += bytes
  }

  function limit(bytes: number | undefined): void {
    allowance = bytes
    each((link) => link.limit(bytes))
  }

  function onUsedUp(): void {
    counts.cutInTheMiddle++
    limit(undefined)
  }

  function onAnswered(request: Buffer): void {
    counts.duplicates++
    const socket = connect(target)
    repeats.add(socket)
    socket.on('error', () => undefined) // nobody waits for it
    socket.once('close', () => repeats.delete(socket))
    socket.resume()
    socket.end(request)
  }

  function each(act: (link: Link) => void): void {
    for (const link of links) act(link)
  }
}
