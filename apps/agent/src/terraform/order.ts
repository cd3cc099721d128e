/** What a supervisor is told to run, as shell text: it is read from a pipe, whole or not at all. */
import { runMark } from './orphan-group.js'

export interface Order {
  /** Directory of the run's facts; absolute, and there; one run each. */
  readonly runDir: string
  /** What the command prints is appended to it. */
  readonly output: string
  /** Program first. No secrets: everybody on the host can read it. */
  readonly command: readonly string[]
  readonly cwd: string
  /** The whole environment, but for the run's mark (orphan-group.ts); nothing is inherited. Names that sh does not know how to write are left out. */
  readonly env: Readonly<Record<string, string>>
  /** Where the supervisor is to die, in tests (`supervisorCrashPoint`). */
  readonly crashPoint?: string
}

/** A line: the places, and the function that becomes the command, whose argument is a newline. Without its end it is no order. */
export function orderText({ runDir, output, command, cwd, env, crashPoint = '' }: Order): string {
  const own = { d: runDir, o: output, IAC_CRASH_POINT: crashPoint, [runMark]: runDir }
  const places = Object.entries(own).map(([name, value]) => `${name}=${quoted(value)}`)
  const names = Object.keys(env).filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  // Behind `command` a name that the shell keeps for itself (bash: UID) is refused alone, and the rest goes on.
  const exports = names.map((name) => `command export ${name}=${quoted(env[name] ?? '')}`)
  const mask = `umask ${process.umask().toString(8)}` // the agent's own: the supervisor's is for itself
  const body = [mask, ...exports, `cd ${quoted(cwd)} || exit 125`, `exec ${command.map(quoted).join(' ')}`]
  return `${[...places, `export ${runMark}`].join('; ')}; become() { ${body.join('; ')}; }\n`
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''").replaceAll('\n', `'"$1"'`)}'`
}
