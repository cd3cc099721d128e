/** A program of ours as a child process: what it logged, when it is ready, how it ended. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { eventually } from '../eventually.js'

/** One record of the program's JSON log. */
export type LogLine = { msg?: string; level?: string } & Record<string, unknown>

/** How to start a program. */
export interface ChildOptions {
  command: readonly string[]
  cwd: string
  /** The whole environment: nothing is inherited. */
  env: Record<string, string>
  uid?: number
  gid?: number
}

/** How a process ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A running (or ended) program. */
export interface BuiltChild {
  readonly pid: number
  /** JSON records of stderr so far; lines that are no JSON are only in `stderr`. */
  readonly lines: readonly LogLine[]
  readonly stderr: string
  readonly exited: Promise<Exit>
  /** The first record, past or to come, that fits; throws with the log's tail when the program ends before or `timeoutMs` (20 s) pass. */
  waitForLine(msg: string, timeoutMs?: number): Promise<LogLine>
  /** Sends a signal and waits for the end, 30 s at most; then SIGKILL and an error. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
}

/** Starts a program in a session of its own, so that a terminal's Ctrl-C reaches only whoever started it. */
export function startChild({ command, ...options }: ChildOptions): BuiltChild {
  const [file = '', ...args] = command
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  const lines: LogLine[] = []
  const text: string[] = []
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      exit = { code, signal }
      resolve(exit)
    }
    child.once('close', ended)
    child.once('error', (fault) => {
      text.push(String(fault))
      ended(null, null)
    })
  })
  createInterface({ input: child.stderr }).on('line', (line) => {
    text.push(line)
    if (line.startsWith('{')) lines.push(recordOf(line))
  })

  return {
    pid: child.pid ?? 0,
    lines,
    get stderr() {
      return text.join('\n')
    },
    exited,
    waitForLine,
    stop,
  }

  async function waitForLine(msg: string, timeoutMs = 20_000): Promise<LogLine> {
    const found = await eventually(
      `log line "${msg}" of ${command.join(' ')}`,
      () => lines.find((line) => line.msg === msg) ?? exit,
      { timeoutMs },
    ).catch((fault: unknown) => {
      throw new Error(`${String(fault)}\n${tail()}`, { cause: fault })
    })
    if (found === exit) throw new Error(`${command.join(' ')} ended (${describe(found)}) before "${msg}"\n${tail()}`)
    return found as LogLine
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (exit) return exit
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
    const ended = await exited
    clearTimeout(timer)
    if (signal !== 'SIGKILL' && ended.signal === 'SIGKILL')
      throw new Error(`did not end by ${signal} in 30 s\n${tail()}`)
    return ended
  }

  function tail(): string {
    return text.slice(-30).join('\n')
  }
}

/** Throws with the log's tail unless the program ended by itself with code 0. */
export function expectCleanExit(name: string, child: BuiltChild, exit: Exit): void {
  if (exit.code === 0) return
  throw new Error(`${name} ended badly (${describe(exit)})\n${child.stderr.split('\n').slice(-30).join('\n')}`)
}

function describe(exit: unknown): string {
  const { code, signal } = exit as Exit
  return signal ?? `exit code ${code}`
}

/** A line cut off by a kill is kept as a message. */
function recordOf(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { msg: line }
  }
}
