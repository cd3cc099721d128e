/** A JSON body of a request, parsed strictly: no coercion, an absent or empty one is `{}`. */
import { isUtf8 } from 'node:buffer'
import { ApiError } from '@iac-agent/protocol'
import type { RawBody } from './raw-body.js'

/** Reads and parses; @throws ApiError `invalid_request`, `too_large`. */
export async function readJson(body: RawBody): Promise<unknown> {
  const bytes = await body.bytes()
  if (bytes.length === 0) return {}
  if (!isUtf8(bytes)) throw new ApiError('invalid_request', 'body: is not UTF-8')
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (err) {
    // V8 quotes the text around the fault, which may be a secret
    const [where = ''] = / at position \d+/.exec((err as Error).message) ?? []
    throw new ApiError('invalid_request', `body: is not valid JSON${where}`)
  }
}
