/** Sets the wall clock of a built server or agent while it runs, and of nothing else. */
import { rename, writeFile } from 'node:fs/promises'

export interface ClockOffset {
  /** For the environment of the process. */
  readonly env: Readonly<Record<string, string>>
  /** So many milliseconds ahead of the host from now on; negative: behind. */
  set(ms: number): Promise<void>
}

/** @param file holds the offset; need not exist, then it is 0 */
export function clockOffset(file: string): ClockOffset {
  return {
    env: { IAC_CLOCK_OFFSET_FILE: file },
    async set(ms) {
      await writeFile(`${file}.draft`, String(ms))
      await rename(`${file}.draft`, file)
    },
  }
}
