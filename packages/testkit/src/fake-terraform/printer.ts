/** Prints as terraform does, and tells the oracle before it does. */
import { writeSync } from 'node:fs'
import type { Oracle } from './oracle.js'

const stdout = 1

/** What is printed, and what a person is to read of it. */
export interface Printed {
  raw: string
  /** With its newlines; empty: nothing is shown. */
  text: string
}

export class Printer {
  #held: Printed[] = []

  /** `batch`: as many prints make one write. */
  constructor(
    private readonly oracle: Oracle,
    private readonly batch: number,
  ) {}

  print(...printed: Printed[]): void {
    for (const one of printed) {
      this.#held.push(one)
      if (this.#held.length >= this.batch) this.flush()
    }
  }

  get isHolding(): boolean {
    return this.#held.length > 0
  }

  flush(): void {
    const raw = Buffer.from(this.#held.map((one) => one.raw).join(''))
    const text = this.#held.map((one) => one.text).join('')
    this.#held = []
    if (text !== '') this.oracle.note({ kind: 'line', text })
    const unwritten = write(raw)
    if (unwritten > 0) this.oracle.note({ kind: 'lost', bytes: unwritten })
  }
}

/** Answers how many bytes could not be written: terraform takes no notice of a full disk, and its output is lost. */
function write(bytes: Buffer): number {
  let at = 0
  try {
    while (at < bytes.length) at += writeSync(stdout, bytes, at)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause
  }
  return bytes.length - at
}

/** Passes as it is. */
export function plain(text: string): Printed {
  return { raw: `${text}\n`, text: `${text}\n` }
}
