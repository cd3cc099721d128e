/** Writes what an apply says of single resources into progress.jsonl, for delivery; each event once, also after a crash. */
import { appendFileSync, closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parse, type ResourceReport } from '@iac-agent/protocol'
import { Type } from 'typebox'
import { type Redaction, redactText } from '../logs/redactor.js'
import { ResourceProgress } from '../terraform/resource-progress.js'
import { parseEvent } from '../terraform/terraform-event.js'

/** Beside the report: where its event begins in the raw output, which makes it once. */
const ProgressLine = Type.Object({ rawOffset: Type.Integer({ minimum: 0 }) })

/** Only these are worth parsing twice. */
const telling = /"type":"(?:apply_start|apply_complete|apply_errored|diagnostic)"/

export class ProgressWriter implements Disposable {
  readonly #progress = new ResourceProgress()
  #unwritten = ''
  #isWriting = false

  private constructor(
    private readonly file: number,
    private lastOffset: number,
    private readonly redaction: Redaction,
    private readonly onWritten: () => void,
  ) {}

  /** Goes on after the last whole line of `path`. `onWritten` is told of each new report. */
  static async open(path: string, redaction: Redaction, onWritten: () => void): Promise<ProgressWriter> {
    const lastOffset = await lastOffsetOf(path)
    return new ProgressWriter(openSync(path, 'a', 0o600), lastOffset, redaction, onWritten)
  }

  /** Takes a line of `apply -json` whose first byte is at `rawOffset`; lines that are no progress are passed over. */
  take(line: string, rawOffset: number): void {
    if (!telling.test(line)) return
    const event = parseEvent(line)
    const report = event && this.#progress.report(event)
    if (!report || rawOffset <= this.lastOffset) return
    this.lastOffset = rawOffset
    this.#unwritten += `${JSON.stringify({ ...this.#redacted(report), rawOffset })}\n`
    this.#writeSoon()
  }

  [Symbol.dispose](): void {
    this.#write()
    closeSync(this.file)
  }

  /** Once for all lines that were read together, and before anybody can record that they were read. */
  #writeSoon(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    queueMicrotask(() => {
      this.#isWriting = false
      this.#write()
    })
  }

  /** Reports are few and small, so this is synchronous. What a full disk refuses waits for the next report, or the end. */
  #write(): void {
    if (this.#unwritten === '') return
    const { size } = fstatSync(this.file)
    try {
      appendFileSync(this.file, this.#unwritten)
    } catch {
      ftruncateSync(this.file, size) // the log is not held up by it, and tells the same
      return
    }
    this.#unwritten = ''
    this.onWritten()
  }

  #redacted(report: ResourceReport): ResourceReport {
    const { id, error } = report
    return {
      ...report,
      ...(id === undefined ? {} : { id: redactText(this.redaction, id) }),
      ...(error === undefined ? {} : { error: redactText(this.redaction, error) }),
    }
  }
}

async function lastOffsetOf(path: string): Promise<number> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return -1
    throw cause
  }
  const line = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .trimEnd()
    .split('\n')
    .at(-1)
  return line ? parse(ProgressLine, JSON.parse(line), path).rawOffset : -1
}
