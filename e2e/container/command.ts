/** One command of an engine: run to its end, or left running with its lines. */
import { execa } from 'execa'

/** Runs to the end; a program that is not installed answers 127. */
export async function program(
  file: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const result = await execa(file, args, { env, reject: false, all: true, stdin: 'ignore' })
  if (result.exitCode === undefined) return { code: 127, output: result.shortMessage ?? '' }
  return { code: result.exitCode, output: result.all }
}

/** Runs to the end and answers stdout; a failure carries all that was printed. */
export async function succeed(file: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { exitCode, stdout, all } = await execa(file, args, { env, reject: false, all: true, stdin: 'ignore' })
  if (exitCode !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${exitCode}:\n${all}`)
  return stdout
}

/** A command that goes on; `ended` resolves when it and its output have ended, whatever its exit code. */
export interface Running {
  pid: number
  lines: readonly string[]
  ended: Promise<void>
}

/** Starts it and collects the lines of both its outputs. */
export function runWithLines(file: string, args: string[], env: Record<string, string>): Running {
  const child = execa(file, args, { env, stdin: 'ignore', reject: false, all: true, buffer: false })
  if (child.pid === undefined) throw new Error(`${file} cannot be started`)
  const lines: string[] = []
  const collect = async () => {
    for await (const line of child.iterable({ from: 'all' })) lines.push(String(line))
  }
  return { pid: child.pid, lines, ended: collect() }
}
