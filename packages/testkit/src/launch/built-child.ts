/** A program of ours as a child process: what it logged, when it is ready, how it ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { eventually } from '../eventually.js'
import { LogFile, type LogLine } from './log-file.js'

/** How to start a program. */
export interface ChildOptions {
  command: readonly string[]
  cwd: string
  /** The whole environment: nothing is inherited. */
  env: Record<string, string>
  /** Takes stderr; appended to. */
  logFile: string
  uid?: number
  gid?: number
}

/** How a process ended; both null when it could not be started. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A running (or ended) program. */
export interface BuiltChild {
  readonly pid: number
  readonly log: LogFile
  readonly exited: Promise<Exit>
  /** The first record, past or to come, with this message; throws with the log's tail when the program ends before, or after `timeoutMs` (20 s). */
  waitForLine(msg: string, timeoutMs?: number): Promise<LogLine>
  /** Sends a signal (SIGTERM unless given) and waits for the end, 30 s at most; then SIGKILL and an error. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
  /** Lets this process end while the child goes on. */
  leave(): void
}

/** They end with us, however we end. */
const ours = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of ours) child.kill('SIGKILL')
})

/** Starts a program in a session of its own, so that a terminal's Ctrl-C reaches only whoever started it. */
export function startChild({ command, logFile, ...options }: ChildOptions): BuiltChild {
  const [file = '', ...args] = command
  const stderr = openSync(logFile, 'a', 0o600)
  const log = new LogFile(logFile)
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'ignore', stderr], detached: true })
  closeSync(stderr)
  ours.add(child)
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    const end = (ended: Exit) => {
      exit = ended
      ours.delete(child)
      log.close()
      resolve(ended)
    }
    child.once('exit', (code, signal) => end({ code, signal }))
    child.once('error', () => end({ code: null, signal: null }))
  })
  return { pid: child.pid ?? 0, log, exited, waitForLine, stop, leave }

  function leave(): void {
    ours.delete(child)
    child.unref()
  }

  async function waitForLine(msg: string, timeoutMs = 20_000): Promise<LogLine> {
    const look = () => log.records.find((line) => line.msg === msg) ?? (exit && 'ended')
    const found = await eventually(`log line "${msg}"`, look, { timeoutMs }).catch((fault: Error) => {
      throw new Error(`${fault.message}\n${log.tail()}`)
    })
    if (found !== 'ended') return found
    throw new Error(`${command.join(' ')} ended (${describe(exit)}) before "${msg}"\n${log.tail()}`)
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (exit) return exit
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
    const ended = await exited
    clearTimeout(timer)
    if (signal !== 'SIGKILL' && ended.signal === 'SIGKILL') {
      throw new Error(`${command.join(' ')} did not end by ${signal} in 30 s\n${log.tail()}`)
    }
    return ended
  }
}

/** Throws with the log's tail unless the program ended by itself with code 0, or the test killed it. */
export function expectCleanExit(name: string, child: BuiltChild, exit: Exit): void {
  if (exit.code === 0 || exit.signal === 'SIGKILL') return
  throw new Error(`${name} ended badly (${describe(exit)})\n${child.log.tail()}`)
}

function describe(exit: Exit | undefined): string {
  return exit?.signal ?? `exit code ${exit?.code}`
}
