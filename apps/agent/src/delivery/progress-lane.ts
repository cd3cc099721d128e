/** Brings per-resource progress to the server as the apply goes: whole lines of progress.jsonl, in batches. */
import { type FileHandle, open } from 'node:fs/promises'
import { fits, limits, ResourceReport } from '@iac-agent/protocol'
import { has } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import type { Journal } from '../journal/journal.js'
import type { DataAccessor, Receipt } from '../server-api/data-accessor.js'
import type { Bell } from './bell.js'
import { type Courier, type CourierDeps, verdictOf } from './courier.js'
import { lifeOf, unsentItems } from './unsent.js'

/** Between two batches while the apply runs. */
const batchEveryMs = 1000
/** Half of what a request may hold leaves room for the JSON around it. */
const batchBytes = limits.jsonBodyBytes / 2

/**
 * Ends when all lines are settled after the outcome, or on abort. Lines sent before a restart are sent again: the newest report of an
 * address wins. `bell` rings for new lines and for the outcome, and for nothing else: each ring costs a look at the file.
 */
export async function runProgressLane(
  deps: CourierDeps,
  courier: Courier,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const { journal, layout, accessor, log } = deps
  let offset = 0
  /** of what was sent: a batch that only an earlier life of the store has makes all of it count there */
  const epochs: number[] = []
  while (!signal.aborted && unsentItems(journal.facts).includes('progress')) {
    const { rings } = bell
    const isOver = has(journal.facts, 'outcome')
    const batch = await readBatch(layout.progress, offset)
    if (batch.reports.length > 0 || batch.nextOffset > offset) {
      try {
        const { epoch } = await courier.request('deliver progress', () => send(accessor, batch.reports))
        if (epoch !== undefined) epochs.push(epoch)
        crashPoint('delivery.progress.sent')
      } catch (err) {
        const verdict = verdictOf(err)
        if (verdict === undefined) throw err
        log.warn({ ...verdict, reports: batch.reports.length }, 'progress refused, left out')
      }
      offset = batch.nextOffset
      if (!isOver) await rest(journal, bell, signal)
    } else if (isOver) {
      await courier.deliver({ item: 'progress', send: async () => receiptOf(epochs, lifeOf(journal.facts)) })
    } else await bell.wait(rings, signal)
  }
}

/** Between two batches, unless the outcome is there meanwhile. */
async function rest(journal: Journal, bell: Bell, signal: AbortSignal): Promise<void> {
  const until = performance.now() + batchEveryMs
  for (let left = batchEveryMs; left > 0 && !signal.aborted; left = until - performance.now()) {
    const { rings } = bell
    if (has(journal.facts, 'outcome')) return
    await bell.wait(rings, signal, left)
  }
}

async function send(accessor: DataAccessor, reports: ResourceReport[]): Promise<Receipt> {
  return reports.length === 0 ? { late: false } : accessor.reportResources(reports)
}

/** Nothing to send is there in whichever life of the store is asked for. */
function receiptOf(epochs: readonly number[], life: number | undefined): Receipt {
  const epoch = epochs.length === 0 ? life : Math.min(...epochs)
  return { late: false, ...(epoch === undefined ? {} : { epoch }) }
}

interface Batch {
  reports: ResourceReport[]
  nextOffset: number
}

/** Whole lines from `offset`; a line that is no report is passed over, a torn last line waits. */
async function readBatch(path: string, offset: number): Promise<Batch> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { reports: [], nextOffset: offset }
    throw cause
  }
  try {
    const wanted = Math.min(batchBytes, (await file.stat()).size - offset)
    if (wanted <= 0) return { reports: [], nextOffset: offset }
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset)
    return cutBatch(buffer.subarray(0, bytesRead), offset)
  } finally {
    await file.close()
  }
}

function cutBatch(bytes: Buffer, offset: number): Batch {
  const reports: ResourceReport[] = []
  let at = 0
  for (
    let end = bytes.indexOf('\n');
    end >= 0 && reports.length < limits.resourceReports;
    end = bytes.indexOf('\n', at)
  ) {
    reports.push(...reportOf(bytes.toString('utf8', at, end)))
    at = end + 1
  }
  const isOneHugeLine = at === 0 && bytes.length === batchBytes
  return { reports, nextOffset: offset + (isOneHugeLine ? bytes.length : at) }
}

function reportOf(line: string): ResourceReport[] {
  try {
    const value: unknown = JSON.parse(line)
    return fits(ResourceReport, value) ? [value] : []
  } catch {
    return [] // a line torn by a crash and written over: the report comes again
  }
}
