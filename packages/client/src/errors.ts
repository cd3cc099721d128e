/** What can go wrong beside a verdict of the server (protocol's ApiError). */

/** The request did not reach a server, or its answer did not come back whole. */
export class NoAnswer extends Error {
  readonly code = 'no_answer'
  constructor(what: string, cause: unknown) {
    super(`${what}: no answer (${reasonOf(cause)})`, { cause })
    this.name = 'NoAnswer'
  }
}

/** Something answered, but not in the words of our API: a proxy, or another program on that port. */
export class StrangeAnswer extends Error {
  readonly code = 'strange_answer'
  constructor(
    what: string,
    readonly httpStatus: number,
    readonly text: string,
  ) {
    super(`${what}: HTTP ${httpStatus} without an error code of ours: ${text.slice(0, 200)}`)
    this.name = 'StrangeAnswer'
  }
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? inner.message : String(inner)
}
