/** A command of iac-server in this process: what it prints is the answer. */
import { runProgram } from '@iac-agent/runtime'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { serverProgram } from '../../src/cli/program.js'

/** What the last command printed. */
export const printed = { out: '', err: '' }

/** Takes stdout and stderr for the tests of the file that calls it. */
export function capturePrinted(): void {
  beforeEach(() => {
    for (const [stream, name] of [
      [process.stdout, 'out'],
      [process.stderr, 'err'],
    ] as const) {
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        printed[name] += text
        return true
      })
    }
  })
  afterEach(() => vi.restoreAllMocks())
}

/** Answers the exit code. */
export async function run(...argv: string[]): Promise<number> {
  printed.out = ''
  printed.err = ''
  return runProgram(serverProgram(), ['node', 'iac-server', ...argv])
}

/** What a command that must succeed answers with `--json`. */
export async function json<T>(...argv: string[]): Promise<T> {
  expect(await run(...argv, '--json'), printed.err).toBe(0)
  return JSON.parse(printed.out) as T
}
