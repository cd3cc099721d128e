/** Fetches a release archive and its checksums; what does not match is never unpacked, let alone run. */
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '@iac-agent/protocol'
import { syncDirectory } from '@iac-agent/runtime'
import { type Dispatcher, fetch } from 'undici'
import { releaseLayout } from './release-layout.js'
import { TerraformError } from './terraform-error.js'
import { unzipFile } from './unzip.js'

export interface ReleaseSource {
  /** Where releases are; default: the makers' own sites. A mirror has HashiCorp's layout for both engines. */
  readonly baseUrl?: string
  /** Carries proxy and CA settings. */
  readonly dispatcher?: Dispatcher
}

/**
 * Downloads, checks against SHA256SUMS, and unpacks the binary to `<into>/<engine>`; the directory appears whole or not at all.
 * @throws TerraformError `terraform_version_unavailable` (not to be had) or `checksum_mismatch`
 */
export async function downloadRelease(
  source: ReleaseSource,
  engine: Engine,
  version: string,
  into: string,
): Promise<void> {
  const layout = releaseLayout(engine, version, source.baseUrl)
  const parent = join(into, '..')
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const draft = await mkdtemp(join(parent, '.download-'))
  try {
    const sums = await (await get(source, layout.checksums)).text()
    const zip = join(draft, layout.archiveName)
    const actual = await saveHashed(await get(source, layout.archive), zip)
    checkSum(sums, layout.archiveName, actual)
    const binary = join(draft, 'release', engine)
    await mkdir(join(draft, 'release'), { mode: 0o700 })
    await unzipFile(zip, engine, binary)
    await chmod(binary, 0o755)
    await place(join(draft, 'release'), into)
    await syncDirectory(parent)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Versions the index of the source lists; undefined when the source has no index we can read. */
export async function publishedVersions(
  source: ReleaseSource,
  engine: Engine,
  signal?: AbortSignal,
): Promise<string[] | undefined> {
  const { index } = releaseLayout(engine, '0.0.0', source.baseUrl)
  if (index === undefined) return undefined
  const document = (await (await get(source, index, signal)).json().catch(() => undefined)) as
    | { versions?: Record<string, unknown> }
    | undefined // an index that is not JSON is no index
  return document?.versions === undefined ? undefined : Object.keys(document.versions)
}

type Answer = Awaited<ReturnType<typeof fetch>>

async function get(source: ReleaseSource, url: string, signal?: AbortSignal): Promise<Answer> {
  let answer: Answer
  try {
    answer = await fetch(url, {
      ...(source.dispatcher === undefined ? {} : { dispatcher: source.dispatcher }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (cause) {
    signal?.throwIfAborted()
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    throw new TerraformError('terraform_version_unavailable', `${url} cannot be reached: ${reason}.`, { cause })
  }
  if (answer.ok) return answer
  await answer.body?.cancel()
  throw new TerraformError('terraform_version_unavailable', `${url} answered ${answer.status}.`)
}

/** Writes the body to `path`; answers its hex SHA-256. */
async function saveHashed(answer: Answer, path: string): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of answer.body ?? []) {
      const bytes = chunk as Uint8Array
      hash.update(bytes)
      await file.writeFile(bytes)
    }
  } catch (cause) {
    throw new TerraformError('terraform_version_unavailable', `The download of ${answer.url} broke off.`, { cause })
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

function checkSum(sums: string, name: string, actual: string): void {
  const lines = sums.split('\n').map((line) => line.trim().split(/\s+\*?/))
  const expected = lines.find(([, file]) => file === name)?.[0]
  if (expected?.toLowerCase() === actual) return
  const wanted = expected === undefined ? 'does not list it' : `has ${expected}`
  throw new TerraformError(
    'checksum_mismatch',
    `${name} has the SHA-256 ${actual}, but SHA256SUMS ${wanted}; it is not used.`,
  )
}

/** Another agent may have placed the same release meanwhile: then that one stays. */
async function place(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw cause
  }
}
