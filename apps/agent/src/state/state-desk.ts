/** Takes and hands out the states of one attempt; what is current survives the process, as the newest file. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { limits } from '@iac-agent/protocol'
import { type Ballast, noBallast } from '../journal/ballast.js'
import { type IncomingState, keepState, receiveState } from './incoming-state.js'
import { baseState, emptyState, fileState, type ServedState } from './served-state.js'
import { listStates, prepareStatesDirectory, type StoredState } from './stored-state.js'

export interface StateDeskOptions {
  /** Of this attempt alone; made when absent. What is in it is current again after a restart. */
  readonly statesDir: string
  /** The workspace's lineage: a state of another one is kept aside and refused. */
  readonly lineage: string
  /** File of the state the attempt starts from, as the server keeps it. Absent: the workspace has none yet. */
  readonly base?: string
  /** What counts for a base that names no serial of its own. Default 0. */
  readonly baseSerial?: number
  /** Told when a state is durable, before terraform is; a rejection makes terraform send it again. */
  readonly onState: (state: StoredState) => Promise<void>
  /** Spent on a state that finds no room. Default: none. */
  readonly ballast?: Pick<Ballast, 'giveBack'>
  /** Default: the server's own bound. */
  readonly maxBytes?: number
}

interface Verdict {
  readonly status: number
  readonly message: string
}

export class StateDesk {
  /** One POST at a time: order is what a later one wins by. */
  private queue: Promise<unknown> = Promise.resolve()
  /** The last one this process told of: the same bytes again are a lost acknowledgement. */
  private told: StoredState | undefined

  private constructor(
    private readonly options: StateDeskOptions,
    private order: number,
    private served: ServedState,
  ) {}

  static async open(options: StateDeskOptions): Promise<StateDesk> {
    await prepareStatesDirectory(options.statesDir)
    const states = await listStates(options.statesDir)
    const newest = states.findLast((state) => !state.foreign)
    return new StateDesk(options, states.at(-1)?.order ?? 0, await firstServed(options, newest))
  }

  /** Answers the current state. */
  async serve(response: ServerResponse): Promise<void> {
    const { text, path, from, sizeBytes } = this.served
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': sizeBytes })
    response.write(text)
    if (path === undefined) response.end()
    else await pipeline(createReadStream(path, { start: from }), response)
  }

  take(request: IncomingMessage): Promise<Verdict> {
    const verdict = this.queue.then(() => this.takeNext(request))
    this.queue = verdict.catch(() => undefined) // the caller is told; the next one starts anew
    return verdict
  }

  private async takeNext(request: IncomingMessage): Promise<Verdict> {
    const { statesDir, maxBytes = limits.stateRawBytes, ballast = noBallast } = this.options
    const announced = Number(request.headers['content-length'] ?? Number.NaN)
    if (!Number.isInteger(announced)) return { status: 411, message: 'Content-Length is required' }
    if (announced > maxBytes) return { status: 413, message: `a state may have ${maxBytes} bytes` }
    const incoming = await receiveState(statesDir, randomUUID(), request, ballast, announced)
    const { order } = this
    try {
      return await this.judge(incoming, announced, request.headers['content-md5'])
    } finally {
      if (this.order === order) await rm(incoming.draft, { force: true }) // it was not kept
    }
  }

  private async judge(incoming: IncomingState, announced: number, md5: unknown): Promise<Verdict> {
    const { head, sizeBytes, sha256 } = incoming
    if (sizeBytes !== announced) return { status: 400, message: `${sizeBytes} bytes came, ${announced} were announced` }
    if (md5 !== undefined && md5 !== incoming.md5) return { status: 400, message: 'Content-MD5 does not match' }
    const { version, serial, lineage } = head ?? {}
    if (version !== 4 || serial === undefined || lineage === undefined || !incoming.isClosed) {
      return { status: 400, message: 'this is not a state of version 4 with serial and lineage' }
    }
    if (this.told?.serial === serial && this.told.sha256 === sha256) return { status: 200, message: 'stored before' }
    const isOurLineage = lineage === this.options.lineage
    const foreign = !isOurLineage || serial < this.served.serial
    await this.keep(incoming, { serial, lineage, foreign })
    if (!foreign) return { status: 200, message: 'stored' }
    const reason = isOurLineage
      ? `its serial ${serial} is older than ${this.served.serial}`
      : 'it is of another lineage'
    return { status: 409, message: `kept aside: ${reason}` }
  }

  private async keep(
    incoming: IncomingState,
    head: Pick<StoredState, 'serial' | 'lineage' | 'foreign'>,
  ): Promise<void> {
    const state = await keepState(this.options.statesDir, incoming, { ...head, order: this.order + 1 })
    this.order = state.order
    const { path, serial, sizeBytes } = state
    if (!state.foreign) this.served = { text: '', path, from: 0, sizeBytes, serial }
    await this.options.onState(state)
    if (!state.foreign) this.told = state
  }
}

function firstServed(options: StateDeskOptions, newest: StoredState | undefined): Promise<ServedState> {
  if (newest !== undefined) return fileState(newest.path, newest.serial)
  if (options.base !== undefined) return baseState(options.base, options.lineage, options.baseSerial)
  return Promise.resolve(emptyState(options.lineage))
}
