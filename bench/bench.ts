/** What a bench is: it measures one hot path of the built programs, and in the same run the limit or rival it is held against. */
import type { Row } from './report/row.js'

export interface Bench {
  /** `pnpm bench NAME` */
  readonly name: string
  /** One sentence: what is measured. */
  readonly what: string
  /** One sentence: what it is held against. */
  readonly limit: string
  /** Rows in the order they are shown. Whatever it started has ended when this settles. */
  run(context: BenchContext): Promise<Row[]>
}

export interface BenchContext {
  /** `--full`: also the rows that take long by nature. */
  readonly isFull: boolean
  /** On a real disk; empty, removed afterwards. */
  readonly directory: string
  /** One line of progress, on stderr. */
  say(line: string): void
}
