/** A state under another serial: the digits of its `serial` member are replaced, every other byte stays as it is. */
import { type Members, scanMembers } from '../json-scan.js'

/** Streams; holds back only what comes before `serial`, which terraform writes among the first members. */
export async function* withSerial(state: AsyncIterable<Buffer>, serial: number): AsyncGenerator<Buffer> {
  const held: Buffer[] = []
  let heldBytes = 0
  let nextTryBytes = 0
  let isDone = false
  for await (const part of state) {
    if (isDone) {
      yield part
      continue
    }
    held.push(part)
    heldBytes += part.length
    if (heldBytes < nextTryBytes) continue
    nextTryBytes = heldBytes * 2
    const bytes = Buffer.concat(held)
    const members = scanMembers(bytes)
    if (!members?.byKey.has('serial')) continue
    isDone = true
    yield spliced(bytes, members, serial)
  }
  if (isDone) return
  const bytes = Buffer.concat(held)
  yield spliced(bytes, scanMembers(bytes), serial)
}

/** Without a `serial` of its own the state gets one as its first member. */
function spliced(bytes: Buffer, members: Members | undefined, serial: number): Buffer {
  const slice = members?.byKey.get('serial')
  if (slice !== undefined) {
    return Buffer.concat([bytes.subarray(0, slice.start), Buffer.from(String(serial)), bytes.subarray(slice.end)])
  }
  const inside = bytes.indexOf('{') + 1
  const comma = members === undefined || members.byKey.size > 0 ? ',' : ''
  return Buffer.concat([bytes.subarray(0, inside), Buffer.from(`"serial":${serial}${comma}`), bytes.subarray(inside)])
}
