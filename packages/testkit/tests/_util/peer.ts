/** The ends of TCP connections in tests, and the servers they belong to. */
import { once } from 'node:events'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { expect } from 'vitest'
import { eventually } from '../../src/index.js'

/** A socket and what became of it. */
export class Peer {
  readonly #pieces: Buffer[] = []
  isEnded = false
  isClosed = false
  fault: string | undefined

  constructor(readonly socket: Socket) {
    socket.on('data', (piece: Buffer) => this.#pieces.push(piece))
    socket.on('end', () => {
      this.isEnded = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.fault = error.code
    })
    socket.on('close', () => {
      this.isClosed = true
    })
  }

  get received(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  gets(text: string): Promise<unknown> {
    return eventually(JSON.stringify(text.slice(-20)), () => this.received.toString() === text)
  }

  async reset(): Promise<void> {
    await eventually('a reset', () => this.fault)
    expect(this.fault).toBe('ECONNRESET')
  }
}

/** The sockets are half-open ones: each end is given by hand. */
export function clientOf(url: string): Peer {
  const { hostname, port } = new URL(url)
  return new Peer(connect({ host: hostname, port: Number(port), allowHalfOpen: true }))
}

export async function listening(one: Server): Promise<void> {
  one.listen(0, '127.0.0.1')
  await once(one, 'listening')
}

export function urlOf(one: Server): string {
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`
}
