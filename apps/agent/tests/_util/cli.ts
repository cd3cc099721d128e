/** A command of iac-agent in this process: what it prints on stdout and stderr, and its exit code. */
import { runProgram } from '@iac-agent/runtime'
import { buildProgram } from '../../src/cli/program.js'

export interface CommandResult {
  code: number
  stdout: string
  stderr: string
}

export async function runCli(...args: string[]): Promise<CommandResult> {
  const result = { stdout: '', stderr: '' }
  const streams = [
    [process.stdout, 'stdout'],
    [process.stderr, 'stderr'],
  ] as const
  const writes = streams.map(([stream]) => stream.write)
  for (const [stream, name] of streams) {
    stream.write = (text: string | Uint8Array) => {
      result[name] += String(text)
      return true
    }
  }
  try {
    const code = await runProgram(buildProgram(), ['node', 'iac-agent', ...args])
    return { code, ...result }
  } finally {
    for (const [i, [stream]] of streams.entries()) stream.write = writes[i] as typeof stream.write
  }
}
