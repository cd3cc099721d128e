/** Terraform's `backend "http"` as far as the bench needs it: whole states in one request, each on a connection of its own. */
import { type IncomingMessage, request } from 'node:http'

export class Backend {
  readonly #address: string
  readonly #authorization: string

  constructor(env: Readonly<Record<string, string | undefined>>) {
    const { TF_HTTP_ADDRESS = '', TF_HTTP_USERNAME = '', TF_HTTP_PASSWORD = '' } = env
    this.#address = TF_HTTP_ADDRESS
    this.#authorization = `Basic ${Buffer.from(`${TF_HTTP_USERNAME}:${TF_HTTP_PASSWORD}`).toString('base64')}`
  }

  async get(): Promise<Buffer> {
    return await this.#ask('GET')
  }

  /** @param md5 of the bytes: terraform hashes them before it connects */
  async post(bytes: Buffer, md5: string): Promise<{ startedAt: number; ms: number }> {
    const startedAt = epochMs()
    await this.#ask('POST', bytes, {
      'Content-Type': 'application/json',
      'Content-Length': bytes.length,
      'Content-MD5': md5,
    })
    return { startedAt, ms: epochMs() - startedAt }
  }

  async #ask(method: string, body?: Buffer, more: Record<string, string | number> = {}): Promise<Buffer> {
    const headers = { Authorization: this.#authorization, ...more }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(this.#address, { method, headers, agent: false }, resolve).once('error', reject).end(body)
    })
    const pieces: Buffer[] = []
    for await (const piece of answer) pieces.push(piece as Buffer)
    if (answer.statusCode !== 200) throw new Error(`${method} of the state was answered ${answer.statusCode}`)
    return Buffer.concat(pieces)
  }
}

/** Comparable between processes of this machine, and finer than Date.now(). */
function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
