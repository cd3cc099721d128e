/** What a process tells its caller by ending; both programs share the table. */

export const ExitCode = {
  done: 0,
  /** something broke */
  fault: 1,
  /** wrong usage or setting; one sentence names it */
  usage: 2,
  /** the server refused: credentials, version, a second agent of the same identity */
  refused: 3,
  /** `--once` found nothing to do */
  noWork: 4,
  /** another process holds the data directory */
  dataDirInUse: 5,
  /** the agent left while runs go on */
  detached: 6,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** Ends a command with one sentence on stderr and this exit code. */
export class CommandError extends Error {
  readonly code = 'command_failed'
  constructor(
    message: string,
    readonly exitCode: ExitCode,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'CommandError'
  }
}
