/** Binary frames of one session: log bytes an agent sends while somebody watches. */
import { InvalidInput, LiveLogHeader, type Phase, parse } from '@iac-agent/protocol'
import { BadFrame, type InflaterPool, type InflateStream } from './inflater-pool.js'
import type { Session } from './session.js'

export interface LiveBytes {
  readonly agentId: string
  readonly taskId: number
  readonly attempt: number
  readonly phase: Phase
  readonly offset: number
  readonly bytes: Buffer
}

/** Stores the bytes by the offset rule; the stored length is the truth. */
export type AppendLive = (live: LiveBytes) => Promise<{ nextOffset: number } | { stale: true }>

export class LiveFrames {
  #stream: InflateStream | undefined

  constructor(
    private readonly session: Session,
    private readonly pool: InflaterPool,
    private readonly append: AppendLive,
  ) {}

  /**
   * Inflates at once, so that frames stay in order, and stores behind it; the agent hears how far it got.
   * @throws BadFrame when the frame is damaged: its stream cannot go on
   */
  take(frame: Buffer): Promise<void> {
    this.#stream ??= this.pool.take()
    const { header, bytes } = split(this.#stream.inflate(frame))
    return this.#store({ ...header, agentId: this.session.identity.agentId, taskId: header.task_id, bytes })
  }

  close(): void {
    if (this.#stream !== undefined) this.pool.release(this.#stream)
    this.#stream = undefined
  }

  async #store(live: LiveBytes): Promise<void> {
    const stored = await this.append(live)
    const { taskId: task_id, attempt } = live
    if ('stale' in stored) {
      const desired = [{ task_id, attempt, want: 'forget' as const }]
      this.session.send({ type: 'heartbeat_ack', payload: { desired, draining: this.session.isDrained } })
    } else this.session.send({ type: 'log_ack', payload: { task_id, attempt, next_offset: stored.nextOffset } })
  }
}

function split(record: Buffer): { header: LiveLogHeader; bytes: Buffer } {
  const end = record.indexOf(0x0a)
  if (end === -1) throw new BadFrame('a live record has no header line')
  try {
    const header = parse(LiveLogHeader, JSON.parse(record.toString('utf8', 0, end)), 'live record header')
    return { header, bytes: record.subarray(end + 1) }
  } catch (err) {
    if (err instanceof SyntaxError || err instanceof InvalidInput) throw new BadFrame(err.message)
    throw err
  }
}
