/** What a module tells the program that stands in for terraform. */
export interface StateOrder {
  readonly sizeBytes: number
  readonly firstSerial: number
  /** So many states are posted, each with the next serial, when `go-<serial>` is there. */
  readonly states: number
  /** Takes the notes, and the file that is written beside; has the `go` files. */
  readonly directory: string
}

/** A line of `notes.jsonl`; times are epoch milliseconds. */
export type StateNote =
  | {
      readonly kind: 'posted'
      readonly serial: number
      readonly startedAt: number
      /** Until acknowledged. */
      readonly ms: number
      /** To write and fsync the same bytes. */
      readonly bareMs: number
    }
  | {
      readonly kind: 'got'
      /** The program itself, as the operating system has it: Node.js takes its time until the first line. */
      readonly begunAt: number
      readonly sizeBytes: number
    }
