/** Memory of Buffers that are done with: V8 lets 32 to 64 MiB of them gather before it looks; here it is told to look sooner. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'minor' }) => void

/** A look at what is young takes a third of a millisecond. */
const lookEachBytes = 4 * 1024 * 1024

let doneBytes = 0
let collect: Collect | undefined

/** Counts bytes that streamed by and that nobody holds any more. */
export function letGo(bytes: number): void {
  doneBytes += bytes
  if (doneBytes < lookEachBytes) return
  doneBytes = 0
  collect ??= collector()
  collect({ type: 'minor' })
}

/** The way V8 offers it to a program that was started without the flag. */
function collector(): Collect {
  setFlagsFromString('--no-parallel-scavenge') // to wake other threads takes longer than to look
  setFlagsFromString('--expose-gc')
  const exposed = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  return exposed
}
