/** What the program measured, a line of JSON a note. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StateNote } from '../order.js'

export class Notes {
  constructor(private readonly directory: string) {}

  note(note: StateNote): void {
    appendFileSync(join(this.directory, 'notes.jsonl'), `${JSON.stringify(note)}\n`)
  }
}
