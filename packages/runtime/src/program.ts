/** A commander program that answers an exit code instead of ending the process. */
import { Command, CommanderError } from 'commander'
import { CommandError, ExitCode } from './exit-codes.js'
import { SettingError } from './settings.js'

export { Command } from 'commander'

/** Output and exit are ours from the first subcommand on (commander copies both settings at `.command()`). */
export function createProgram(about: { name: string; description: string; version: string }): Command {
  return new Command(about.name)
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) })
    .showHelpAfterError('(--help shows the usage)')
    .description(about.description)
    .version(about.version)
}

/** Runs the command that `argv` (as `process.argv`) names; an error becomes one sentence on stderr and its exit code. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<number> {
  if (!process.stdout.listeners('error').includes(ignoreClosedPipe)) process.stdout.on('error', ignoreClosedPipe)
  try {
    await program.parseAsync([...argv])
    return ExitCode.done
  } catch (err) {
    if (err instanceof CommanderError) return err.exitCode === 0 ? ExitCode.done : ExitCode.usage
    if (err instanceof CommandError) return failed(program, err.message, err.exitCode)
    if (err instanceof SettingError) return failed(program, err.message, ExitCode.usage)
    return failed(program, err instanceof Error ? (err.stack ?? err.message) : String(err), ExitCode.fault)
  }
}

/** Whoever read our output has left (`… --help | head`): what is still said is for nobody, and no fault of the command. */
function ignoreClosedPipe(err: NodeJS.ErrnoException): void {
  if (err.code !== 'EPIPE') throw err
}

function failed(program: Command, message: string, exitCode: number): number {
  process.stderr.write(`${program.name()}: ${message}\n`)
  return exitCode
}
