/** Several hashes of the same bytes as they pass. */
import { defineLook } from '@iac-agent/runtime'

/** Its names: algorithms. Finds a digest for each, in hex. */
export const byteHashes = defineLook<readonly string[]>(() => {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return (names) => {
    const hashes = names.map((name) => createHash(name))
    return {
      push(bytes) {
        for (const hash of hashes) hash.update(bytes)
      },
      finding: () => hashes.map((hash) => hash.digest('hex')),
    }
  }
})
