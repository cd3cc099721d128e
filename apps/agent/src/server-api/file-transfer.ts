/** Files as request bodies and answers as files: in pieces, checked, whole or not at all. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createGzip } from 'node:zlib'
import { syncDirectory } from '@iac-agent/runtime'
import { streamToFile } from '../journal/stream-to-file.js'
import { ServerUnreachable } from './errors.js'
import type { CallInput, RawAnswer } from './request.js'

type RawBody = NonNullable<CallInput<never>['raw']>

/**
 * The file at `path` as a body with X-Content-SHA256 of its bytes; gzipped on the way when the route takes that.
 * @param options.sha256 of the file, when it is known: it is not read for it then
 */
export async function fileBody(
  path: string,
  contentType: string,
  options: { gzip?: boolean; sha256?: string } = {},
): Promise<RawBody> {
  const known =
    options.sha256 === undefined ? undefined : { sha256: options.sha256, sizeBytes: (await stat(path)).size }
  const { sha256, sizeBytes } = known ?? (await hashFile(path))
  const headers = { 'content-type': contentType, 'x-content-sha256': sha256 }
  const file = createReadStream(path, { highWaterMark: 256 * 1024 })
  if (!options.gzip) return { body: file, headers: { ...headers, 'content-length': String(sizeBytes) } }
  const gzip = createGzip({ level: 1 })
  file.on('error', (err) => gzip.destroy(err))
  gzip.on('close', () => file.destroy())
  return { body: file.pipe(gzip), headers: { ...headers, 'content-encoding': 'gzip' } }
}

/** Writes an answer's bytes to `path` by temp file, fsync and rename; answers what was written. */
export async function saveAnswer(answer: RawAnswer, path: string, expectedSha256: string | undefined): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const hash = createHash('sha256')
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await streamToFile(file, answer.body, (piece) => hash.update(piece))
    } finally {
      await file.close()
    }
    const sha256 = hash.digest('hex')
    if (expectedSha256 !== undefined && sha256 !== expectedSha256) {
      throw new ServerUnreachable('not_our_answer', `the bytes received have checksum ${sha256}, not ${expectedSha256}`)
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
    return sha256
  } catch (err) {
    await rm(temporary, { force: true })
    throw err
  }
}

async function hashFile(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    hash.update(piece as Buffer)
    sizeBytes += (piece as Buffer).length
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}
