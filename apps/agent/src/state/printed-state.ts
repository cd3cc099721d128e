/** Finds the state `apply -json` prints as its last resort, when neither the backend nor the disk took it. */
import { createReadStream } from 'node:fs'

const marker = Buffer.from('"@message":"Emergency state dump"')
const opening = Buffer.from('"state":')
/** What follows the state in the event: its members are in the order of their names. */
const closing = Buffer.from(',"type":"log"}')
const newline = 0x0a

/** The bytes of the last printed state, as terraform wrote them; none when there is none. */
export async function* printedState(outputFile: string): AsyncGenerator<Uint8Array> {
  const start = await lastMarker(outputFile)
  if (start === undefined) return
  let held = Buffer.alloc(0)
  let isOpen = false
  for await (const chunk of createReadStream(outputFile, { start })) {
    held = Buffer.concat([held, chunk as Buffer])
    if (!isOpen) {
      const at = held.indexOf(opening)
      if (at === -1) continue
      isOpen = true
      held = held.subarray(at + opening.length)
    }
    const end = held.indexOf(newline)
    if (end !== -1) {
      yield withoutClosing(held.subarray(0, end))
      return
    }
    const certain = Math.max(0, held.length - closing.length)
    yield held.subarray(0, certain)
    held = held.subarray(certain)
  }
}

/** Without the rest of the event a torn line leaves bytes that do not end as a state does, and are then no candidate. */
function withoutClosing(bytes: Buffer): Buffer {
  const isWhole = bytes.subarray(-closing.length).equals(closing)
  return isWhole ? bytes.subarray(0, -closing.length) : Buffer.concat([bytes, Buffer.from('?')])
}

async function lastMarker(outputFile: string): Promise<number | undefined> {
  let found: number | undefined
  let offset = 0
  let tail = Buffer.alloc(0)
  try {
    for await (const chunk of createReadStream(outputFile)) {
      const window = Buffer.concat([tail, chunk as Buffer])
      const at = window.lastIndexOf(marker)
      if (at !== -1) found = offset - tail.length + at
      offset += (chunk as Buffer).length
      tail = window.subarray(-(marker.length - 1))
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause // no output, no state
  }
  return found
}
