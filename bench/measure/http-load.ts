/** Requests over keep-alive connections as fast as they are answered, by a client that is as thin as undici has one. */
import { Client } from 'undici'

export interface Shot {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/**
 * Requests a second that `url` answers with 2xx, so many in flight, each on a connection of its own; `next` makes the one that the
 * connection sends next. @throws Error for any other answer
 */
export async function rateOf(
  url: string,
  load: { inFlight: number; ms: number },
  next: (slot: number) => Shot,
): Promise<number> {
  const clients = Array.from({ length: load.inFlight }, () => new Client(url))
  try {
    await Promise.all(clients.map((client, slot) => shoot(client, next(slot))))
    const from = performance.now()
    let answers = 0
    const work = async (client: Client, slot: number) => {
      while (performance.now() - from < load.ms) {
        await shoot(client, next(slot))
        answers++
      }
    }
    await Promise.all(clients.map(work))
    return (answers * 1000) / (performance.now() - from)
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

/** Resolves when the answer is whole. */
function shoot(client: Client, shot: Shot): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0
    let refusal = ''
    client.dispatch(shot, {
      onRequestStart() {}, // by which undici knows a handler of this kind
      onResponseStart(_controller, statusCode) {
        status = statusCode
      },
      onResponseData(_controller, chunk) {
        if (status > 299) refusal += String(chunk)
      },
      onResponseEnd() {
        if (status > 199 && status < 300) resolve()
        else reject(new Error(`${shot.method} ${shot.path} was answered ${status}: ${refusal}`))
      },
      onResponseError(_controller, error) {
        reject(error)
      },
    })
  })
}
