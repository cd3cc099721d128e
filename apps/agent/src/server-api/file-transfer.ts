/** Files as request bodies and answers as files: in pieces, checked, whole or not at all. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { createGzip, gzip as gzipWhole } from 'node:zlib'
import { passingBytes, syncDirectory } from '@iac-agent/runtime'
import { byteHashes } from '../journal/byte-hashes.js'
import { streamToFile } from '../journal/stream-to-file.js'
import { ServerUnreachable } from './errors.js'
import type { CallInput, RawAnswer } from './request.js'

type RawBody = NonNullable<CallInput<never>['raw']>

const compress = promisify(gzipWhole)
/** A file up to this size is held in memory. */
const fewBytes = 256 * 1024

/**
 * The file at `path` as a body with X-Content-SHA256 of its bytes; gzipped on the way when the route takes that.
 * @param options.sha256 of the file, when it is known: it is not read for it then
 */
export async function fileBody(
  path: string,
  contentType: string,
  options: { gzip?: boolean; sha256?: string } = {},
): Promise<RawBody> {
  const { sha256, sizeBytes, whole } = await inspect(path, options.sha256)
  const headers = { 'content-type': contentType, 'x-content-sha256': sha256 }
  if (whole !== undefined) {
    if (!options.gzip) return { body: whole, headers }
    return { body: await compress(whole, { level: 1 }), headers: { ...headers, 'content-encoding': 'gzip' } }
  }
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
  await using hash = passingBytes(byteHashes, ['sha256'], Number(answer.headers['content-length'] ?? 0))
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await streamToFile(file, answer.body, (piece) => hash.push(piece))
    } finally {
      await file.close()
    }
    const [sha256 = ''] = await hash.finding()
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

/** `whole`: the bytes themselves when they are few, since then reading them twice and in a stream is most of the work. */
async function inspect(
  path: string,
  knownSha256: string | undefined,
): Promise<{ sha256: string; sizeBytes: number; whole?: Buffer }> {
  const { size } = await stat(path)
  if (size <= fewBytes) {
    const whole = await readFile(path)
    const sha256 = knownSha256 ?? createHash('sha256').update(whole).digest('hex')
    return { sha256, sizeBytes: whole.length, whole }
  }
  return { sha256: knownSha256 ?? (await hashFile(path)), sizeBytes: size }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}
