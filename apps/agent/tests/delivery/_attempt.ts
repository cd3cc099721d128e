/** An attempt on disk whose delivery runs against a fake server. */
import { createHash } from 'node:crypto'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Phase } from '@iac-agent/protocol'
import { silentLogger } from '@iac-agent/runtime'
import { type FakeServer, type FakeTask, temporaryDirectory } from '@iac-agent/testkit'
import { Delivery } from '../../src/delivery/delivery.js'
import type { LiveChannel } from '../../src/delivery/log-lane.js'
import type { NewFact } from '../../src/journal/attempt-record.js'
import { Journal } from '../../src/journal/journal.js'
import { type AttemptLayout, attemptLayoutAt } from '../../src/journal/layout.js'
import { LogWriter } from '../../src/logs/log-writer.js'
import { compileRedaction } from '../../src/logs/redactor.js'
import { RemoteDataAccessor } from '../../src/server-api/remote-data-accessor.js'
import { Retry } from '../../src/server-api/retry.js'
import { connect } from '../_util/connection.js'

const noLive: LiveChannel = { isOpen: false, send: () => Promise.resolve(false) }

/** The directory of an attempt; outlives the processes that work on it. */
export interface AttemptDirectory extends AsyncDisposable {
  layout: AttemptLayout
  write(text: string): Promise<void>
}

export async function attemptDirectory(): Promise<AttemptDirectory> {
  const directory = await temporaryDirectory('attempt')
  const layout = attemptLayoutAt(directory.path)
  await mkdir(layout.states)
  return {
    layout,
    write: (text) => appendFile(layout.output, text),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

/** One life of an agent process, as far as this attempt knows of it. Dispose stops it as a signal would. */
export interface Life extends AsyncDisposable {
  journal: Journal
  delivery: Delivery
  writer: LogWriter
  retry: Retry
  record(...facts: NewFact[]): Promise<void>
  receiveState(serial: number): Promise<string>
  /** The run is over: output closed and outcome known. */
  end(sizeBytes: number): Promise<void>
}

export async function live(
  server: FakeServer,
  task: FakeTask,
  { layout }: AttemptDirectory,
  live: LiveChannel = noLive,
): Promise<Life> {
  const phase: Phase = task.action
  const log = silentLogger()
  const request = connect(server)
  const journal = await Journal.open(layout.journal)
  const retry = new Retry({ log, firstMs: 1 })
  const writer = await LogWriter.open({
    rawPath: layout.output,
    spoolPath: layout.spool,
    checkpointPath: layout.spoolCheckpoint,
    redaction: compileRedaction([]),
    log,
  })
  const stop = new AbortController()
  const attempt = { taskId: task.id, attempt: task.attempt, phase }
  const accessor = new RemoteDataAccessor(request, { taskId: task.id, leaseToken: task.lease }, stop.signal)
  const delivery = new Delivery({ attempt, layout, journal, spool: writer.spool, accessor, retry, live, log })
  const closed = new Promise<number>((resolve) => {
    const look = () => {
      for (const fact of journal.facts) if (fact.fact === 'outputClosed') resolve(fact.sizeBytes)
    }
    journal.watch(look)
    look()
  })
  const record = async (...facts: NewFact[]) => {
    for (const fact of facts) await journal.append(fact)
  }
  if (journal.facts.length === 0) {
    await record({
      fact: 'offered',
      taskId: task.id,
      attempt: task.attempt,
      workspaceId: task.workspaceId,
      action: phase,
      leaseToken: task.lease,
      leaseTtlMs: 60_000,
      workRoot: '/nowhere',
    })
  }
  const running = Promise.all([delivery.run(stop.signal), writer.run(stop.signal, closed)])
  return {
    journal,
    delivery,
    writer,
    retry,
    record,
    receiveState: (serial) => receiveState(journal, layout, serial),
    end: (sizeBytes) =>
      record({ fact: 'outputClosed', sizeBytes }, { fact: 'outcome', status: 'success', durationSeconds: 3 }),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the agent stops'))
      await running
      await writer[Symbol.asyncDispose]()
      await journal[Symbol.asyncDispose]()
      await request[Symbol.asyncDispose]()
    },
  }
}

async function receiveState(journal: Journal, layout: AttemptLayout, serial: number): Promise<string> {
  const text = JSON.stringify({
    version: 4,
    serial,
    lineage: 'l',
    resources: [],
    pad: 12345678901234567890n.toString(),
  })
  const file = `${serial}.tfstate`
  await writeFile(join(layout.states, file), text)
  const sha256 = createHash('sha256').update(text).digest('hex')
  await journal.append({
    fact: 'stateReceived',
    file,
    origin: 'posted',
    serial,
    sha256,
    isOurs: true,
  })
  return text
}
