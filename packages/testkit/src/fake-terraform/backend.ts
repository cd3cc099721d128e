/** Terraform's `backend "http"`: the whole state in one request, tried again while the backend is away. */
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as elapsed } from 'node:timers/promises'

/** Terraform's state document; resources of other kinds are kept as they are. */
export interface State {
  version: 4
  terraform_version: string
  serial: number
  lineage: string
  outputs: object
  resources: StateResource[]
  check_results: null
}

export interface StateResource {
  mode: string
  type: string
  name: string
  provider: string
  instances: { index_key?: number; attributes: { id: string } }[]
}

/** The backend refused, or was away for too long. */
export class BackendError extends Error {
  readonly code = 'backend_failed'
}

interface Answer {
  status: number
  body: string
}

export class Backend {
  readonly #address: string
  readonly #authorization: string
  readonly #retries: number
  readonly #waitMs: number

  constructor(env: Readonly<Record<string, string | undefined>>) {
    const { TF_HTTP_ADDRESS: address, TF_HTTP_USERNAME: user = '', TF_HTTP_PASSWORD: password = '' } = env
    if (address === undefined) throw new BackendError('the fake terraform keeps its state by TF_HTTP_ADDRESS only')
    this.#address = address
    this.#authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    this.#retries = Number(env.TF_HTTP_RETRY_MAX ?? 2)
    this.#waitMs = Number(env.TF_HTTP_RETRY_WAIT_MIN ?? 1) * 1000
  }

  /** @throws BackendError */
  async get(): Promise<State> {
    const { status, body } = await this.#try('GET')
    if (status !== 200) throw new BackendError(`Error loading state: HTTP error: ${status}`)
    return JSON.parse(body) as State
  }

  /** @throws BackendError */
  async post(text: string): Promise<void> {
    const { status } = await this.#try('POST', Buffer.from(text))
    if (status !== 200 && status !== 201 && status !== 204)
      throw new BackendError(`Error saving state: HTTP error: ${status}`)
  }

  async #try(method: string, body?: Buffer): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#ask(method, body).catch((cause: Error) => cause)
      const isFinal = !(answer instanceof Error) && answer.status < 500 && answer.status !== 429
      if (isFinal) return answer
      if (tries > this.#retries)
        throw new BackendError(`${method} ${this.#address} giving up after ${tries} attempt(s)`, { cause: answer })
      await elapsed(this.#waitMs)
    }
  }

  #ask(method: string, body?: Buffer): Promise<Answer> {
    const proof =
      body === undefined
        ? {}
        : {
            'Content-Type': 'application/json',
            'Content-Length': body.length,
            'Content-MD5': createHash('md5').update(body).digest('base64'),
          }
    return new Promise((resolve, reject) => {
      const headers = { Authorization: this.#authorization, ...proof }
      const asked = request(this.#address, { method, headers, agent: false }, (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.once('error', reject)
        response.once('end', () => {
          if (response.complete)
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') })
        })
        response.once('close', () => reject(new Error('the answer was cut off')))
      })
      asked.once('error', reject)
      asked.end(body)
    })
  }
}
