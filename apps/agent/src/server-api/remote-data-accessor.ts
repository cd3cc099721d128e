/** The DataAccessor of one attempt over HTTP: one request per method under the attempt's lease, every answer parsed. */
import { readFile } from 'node:fs/promises'
import {
  agentTaskEndpoints as endpoints,
  type Phase,
  parse,
  type ResourceReport,
  readChecksum,
  type StatusUpdate,
  type TaskData,
  UnrecordedReport,
} from '@iac-agent/protocol'
import type { DataAccessor, Receipt } from './data-accessor.js'
import { ServerRefused, ServerUnreachable } from './errors.js'
import { fileBody, saveAnswer } from './file-transfer.js'
import type { PackedLog } from './pack-log.js'
import type { RawAnswer, ServerRequest } from './request.js'

/** Which attempt speaks. */
export interface AttemptIdentity {
  taskId: number
  leaseToken: string
}

const octets = 'application/octet-stream'

export class RemoteDataAccessor implements DataAccessor {
  readonly #request: ServerRequest
  readonly #taskId: number
  readonly #leaseToken: string
  readonly #signal: AbortSignal | undefined

  /** @param signal aborts the requests in flight: the process leaves */
  constructor(request: ServerRequest, attempt: AttemptIdentity, signal?: AbortSignal) {
    this.#request = request
    this.#taskId = attempt.taskId
    this.#leaseToken = attempt.leaseToken
    this.#signal = signal
  }

  async getTaskData(options: { includeState?: boolean } = {}): Promise<TaskData> {
    return this.#request.call(endpoints.data, {
      ...this.#attempt,
      query: { include_state: options.includeState ?? false },
    })
  }

  async getState(toPath: string): Promise<{ version: number } | undefined> {
    try {
      return await this.#request.fetch(endpoints.state, this.#attempt, async (answer) => {
        const version = Number(header(answer, 'x-state-version'))
        if (!Number.isSafeInteger(version))
          throw new ServerUnreachable('not_our_answer', 'the state came without X-State-Version')
        await saveAnswer(answer, toPath, checksumOf(answer))
        return { version }
      })
    } catch (err) {
      if (err instanceof ServerRefused && err.code === 'not_found') return undefined
      throw err
    }
  }

  async getConfiguration(toPath: string, expected: { sha256: string }): Promise<void> {
    await this.#request.fetch(endpoints.configuration, this.#attempt, (answer) =>
      saveAnswer(answer, toPath, expected.sha256),
    )
  }

  async getPlan(toPath: string): Promise<{ sha256: string }> {
    return this.#request.fetch(endpoints.getPlan, this.#attempt, async (answer) => ({
      sha256: await saveAnswer(answer, toPath, checksumOf(answer)),
    }))
  }

  async savePlan(path: string): Promise<Receipt> {
    return receipt(
      await this.#request.acknowledge(endpoints.putPlan, {
        ...this.#attempt,
        raw: await fileBody(path, 'application/gzip'),
      }),
    )
  }

  async savePlanJson(path: string): Promise<Receipt> {
    return receipt(
      await this.#request.acknowledge(endpoints.planJson, {
        ...this.#attempt,
        raw: await fileBody(path, 'application/json'),
      }),
    )
  }

  async startApply(startId: string): Promise<void> {
    await this.#request.call(endpoints.start, { ...this.#attempt, json: { start_id: startId } })
  }

  async updateTaskStatus(update: StatusUpdate): Promise<Receipt> {
    const { epoch } = await this.#request.acknowledge(endpoints.status, { ...this.#attempt, json: update })
    return receipt({ answer: {}, epoch })
  }

  async saveLogChunk(chunk: {
    phase: Phase
    offset: number
    log: PackedLog
  }): Promise<Receipt & { nextOffset: number }> {
    const received = await this.#request.acknowledge(endpoints.logChunk, {
      ...this.#attempt,
      query: { phase: chunk.phase, offset: chunk.offset },
      raw: {
        body: chunk.log.packed,
        headers: { 'content-type': octets, 'content-encoding': 'gzip', 'x-content-sha256': chunk.log.sha256 },
      },
    })
    return { ...receipt(received), nextOffset: received.answer.next_offset }
  }

  async nextLogOffset(phase: Phase): Promise<number> {
    return (await this.#request.call(endpoints.logOffset, { ...this.#attempt, query: { phase } })).next_offset
  }

  async sealLog(seal: { phase: Phase; totalBytes: number; sha256: string }): Promise<Receipt> {
    const json = { phase: seal.phase, total_bytes: seal.totalBytes, sha256: seal.sha256 }
    return receipt(await this.#request.acknowledge(endpoints.logSeal, { ...this.#attempt, json }))
  }

  async saveState(path: string, sha256: string): Promise<Receipt & { version: number; rescued: boolean }> {
    const raw = await fileBody(path, octets, { gzip: !this.#request.isLoopback, sha256 })
    const received = await this.#request.acknowledge(endpoints.saveState, { ...this.#attempt, raw })
    const { version, rescued } = received.answer
    return { ...receipt(received), version, rescued: rescued === true }
  }

  async saveUnrecorded(path: string): Promise<Receipt> {
    const json = parse(UnrecordedReport, JSON.parse(await readFile(path, 'utf8')), path)
    return receipt(await this.#request.acknowledge(endpoints.unrecorded, { ...this.#attempt, json }))
  }

  async reportResources(reports: readonly ResourceReport[]): Promise<Receipt> {
    return receipt(
      await this.#request.acknowledge(endpoints.resources, { ...this.#attempt, json: { resources: reports } }),
    )
  }

  get #attempt() {
    return { params: { task_id: this.#taskId }, lease: this.#leaseToken, signal: this.#signal }
  }
}

function receipt({ answer, epoch }: { answer: { late?: true }; epoch: number | undefined }): Receipt {
  return { late: answer.late === true, ...(epoch === undefined ? {} : { epoch }) }
}

function checksumOf(answer: RawAnswer): string | undefined {
  return readChecksum(header(answer, 'x-content-sha256')) ?? undefined
}

function header(answer: RawAnswer, name: string): string | undefined {
  const value = answer.headers[name]
  return typeof value === 'string' ? value : undefined
}
