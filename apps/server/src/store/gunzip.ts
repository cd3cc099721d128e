/** Unpacks gzip in memory, bounded. */
import { gunzipSync } from 'node:zlib'

/** zlib takes no less at once. */
const leastBytes = 64

/**
 * What `packed` unpacks to, in one piece of memory when its trailer tells the truth.
 * @throws zlib's error: `ERR_BUFFER_TOO_LARGE` beyond `limitBytes`, `Z_…` when it is damaged
 */
export function gunzip(packed: Buffer, limitBytes: number): Buffer {
  const told = packed.length < 4 ? 0 : packed.readUInt32LE(packed.length - 4)
  const chunkSize = Math.max(leastBytes, Math.min(told, limitBytes) + 1) // a full buffer would ask for another
  return gunzipSync(packed, { maxOutputLength: limitBytes, chunkSize })
}
