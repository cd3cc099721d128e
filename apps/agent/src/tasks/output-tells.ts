/** Whether a file of terraform's output says something, in bounded memory. */
import { createReadStream } from 'node:fs'

/** True when `phrase` (ASCII) is in the bytes from `offset` on. @throws what the file system throws, but no file says nothing */
export async function outputTells(path: string, offset: number, phrase: string): Promise<boolean> {
  let tail = ''
  try {
    for await (const piece of createReadStream(path, { start: offset, encoding: 'latin1' })) {
      const text = tail + String(piece)
      if (text.includes(phrase)) return true
      tail = text.slice(1 - phrase.length)
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
  }
  return false
}
