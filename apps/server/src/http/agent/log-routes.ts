/** Logs of attempts: chunks, the offset to go on from, the seal. */
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, agentTaskEndpoints, type LogChunk, limits } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { type ChunkInput, type LogDeps, nextLogOffset, saveChunk } from '../../domain/logs/save-chunk.js'
import { sealLog } from '../../domain/logs/seal.js'
import { checksumHeader, requireChecksum } from '../checksum.js'
import { RawBody, tooLarge } from '../raw-body.js'
import { route } from '../route.js'

export async function logRoutes(app: FastifyInstance, deps: LogDeps): Promise<void> {
  route(app, agentTaskEndpoints.logChunk, async ({ params, query, body, headers, caller }) => {
    const chunk = body instanceof RawBody ? await rawChunk(body, query, headers) : jsonChunk(body)
    return saveChunk(deps, { caller, taskId: params.task_id, ...chunk })
  })
  route(app, agentTaskEndpoints.logOffset, ({ params, query, caller }) =>
    nextLogOffset(deps, { caller, taskId: params.task_id, phase: query.phase }),
  )
  route(app, agentTaskEndpoints.logSeal, ({ params, body, caller }) => {
    const { phase, total_bytes: totalBytes, sha256 } = body
    return sealLog(deps, { caller, taskId: params.task_id, phase, totalBytes, sha256 })
  })
}

type Chunk = Pick<ChunkInput, 'phase' | 'offset' | 'bytes' | 'packed'>

/** Phase and offset are in the query, the checksum in a header. */
async function rawChunk(
  body: RawBody,
  { phase, offset }: { phase?: Chunk['phase']; offset?: number },
  headers: IncomingHttpHeaders,
): Promise<Chunk> {
  if (phase === undefined) throw missing('phase')
  if (offset === undefined) throw missing('offset')
  const { bytes, packed } = await body.whole(limits.logChunkBytes)
  requireChecksum(bytes, checksumHeader(headers))
  return { phase, offset, bytes, packed }
}

/** The seed's way: everything in one JSON object; the offset counts UTF-8 bytes. */
function jsonChunk({ phase, offset, content, checksum }: LogChunk): Chunk {
  const bytes = Buffer.from(content, 'utf8')
  if (bytes.length > limits.logChunkBytes) throw tooLarge(limits.logChunkBytes)
  requireChecksum(bytes, checksum)
  return { phase, offset, bytes }
}

function missing(field: string): ApiError {
  return new ApiError('invalid_request', `query: ${field} is required`, { field })
}
