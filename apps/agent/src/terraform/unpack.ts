/** Unpacks a tar.gz that somebody else made: nothing in it may reach outside the target directory. */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdir, readlink, realpath } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { limits } from '@iac-agent/protocol'
import type { ReadEntry, Unpack } from 'tar'
import { TerraformError } from './terraform-error.js'

export interface UnpackRequest {
  readonly file: string
  /** Made when absent. */
  readonly into: string
  /** Takes an entry only when this says so; `path` is relative, without `./` or a trailing slash. */
  readonly takes?: (path: string) => boolean
  /** Leading parts of each path that are dropped. */
  readonly strip?: number
}

/**
 * Unpacks regular files, directories and links that stay inside.
 * @throws TerraformError `configuration_unsafe`: `../`, absolute paths, outward links, devices, too many or too large entries;
 * `configuration_invalid`: not a tar.gz, torn. Part of the archive may have been unpacked then: empty the directory.
 */
export async function unpackArchive(request: UnpackRequest): Promise<void> {
  const { Unpack } = await import('tar')
  await mkdir(request.into, { recursive: true, mode: 0o700 })
  const gate = new Gate(request.takes ?? (() => true))
  const unpack = new Unpack({
    cwd: request.into,
    strip: request.strip ?? 0,
    strict: true,
    preserveOwner: false,
    noMtime: true,
    filter: (path, entry) => gate.takes(path, entry as ReadEntry),
  })
  try {
    await feed(request.file, unpack, gate)
  } catch (cause) {
    unpack.abort(cause instanceof Error ? cause : new Error(String(cause)))
    throw gate.refusal ?? invalid(cause)
  }
  if (gate.refusal !== undefined) throw gate.refusal
  await checkLinks(request.into, gate.links, request.strip ?? 0)
}

/** Content, and a header with padding for each entry. */
const mostTarBytes = limits.configurationUnpackedBytes + limits.configurationEntries * 1024

/** Judges entries as their headers come; after the first refusal it takes nothing more. */
class Gate {
  refusal: TerraformError | undefined
  /** Paths of symbolic links that were taken. */
  readonly links: string[] = []
  private entries = 0
  private sizeBytes = 0

  constructor(private readonly wants: (path: string) => boolean) {}

  takes(rawPath: string, entry: ReadEntry): boolean {
    const path = normalize(rawPath).replace(/\/+$/, '')
    this.entries++
    this.sizeBytes += entry.size
    const problem = this.problemOf(rawPath, path, entry)
    if (problem !== undefined) this.refuse(problem)
    if (this.refusal !== undefined || path === '.' || !this.wants(path)) return false
    if (entry.type === 'SymbolicLink') this.links.push(path)
    return true
  }

  refuse(problem: string): void {
    this.refusal ??= unsafe(problem)
  }

  private problemOf(rawPath: string, path: string, entry: ReadEntry): string | undefined {
    const { type, linkpath = '' } = entry
    const name = JSON.stringify(rawPath)
    if (this.entries > limits.configurationEntries) return `has more than ${limits.configurationEntries} entries`
    if (this.sizeBytes > limits.configurationUnpackedBytes)
      return `unpacks to more than ${limits.configurationUnpackedBytes} bytes`
    if (rawPath.startsWith('/')) return `has the absolute path ${name}`
    if (rawPath.split('/').includes('..')) return `has ${name}, which climbs with ".."`
    switch (type) {
      case 'File':
      case 'OldFile':
      case 'ContiguousFile':
      case 'Directory':
        return undefined
      case 'SymbolicLink':
        return isInside(join(dirname(path), linkpath)) && !linkpath.startsWith('/')
          ? undefined
          : `has the link ${name}, which points outside`
      case 'Link':
        return isInside(linkpath) && !linkpath.startsWith('/')
          ? undefined
          : `has the link ${name}, which points outside`
      default:
        return `has ${name}, which is a ${type}: only files, directories and links are allowed`
    }
  }
}

/** Our own gunzip: the one in tar takes a torn stream for a whole one. */
async function feed(file: string, unpack: Unpack, gate: Gate): Promise<void> {
  const failed = new AbortController()
  unpack.on('error', (error: unknown) => failed.abort(error))
  const closed = once(unpack, 'close', { signal: failed.signal })
  closed.catch(() => undefined) // awaited below, unless reading fails before
  const gunzip = createGunzip()
  const source = pipeline(createReadStream(file), gunzip)
  source.catch(() => undefined) // the loop below meets the same error
  let sizeBytes = 0
  for await (const chunk of gunzip) {
    failed.signal.throwIfAborted()
    sizeBytes += (chunk as Buffer).length
    if (sizeBytes > mostTarBytes) gate.refuse('unpacks to more than a configuration may have')
    if (gate.refusal !== undefined) throw gate.refusal // a bomb is not unpacked to its end
    if (!unpack.write(chunk as Buffer)) await once(unpack, 'drain', { signal: failed.signal })
  }
  await source
  unpack.end()
  await closed.catch((cause: unknown) => {
    throw failed.signal.reason ?? cause
  })
}

/** A link through another link can leave although its text looks harmless: where it really leads decides. */
async function checkLinks(into: string, links: readonly string[], strip: number): Promise<void> {
  const root = await realpath(into)
  for (const link of links) {
    const path = join(root, ...link.split('/').slice(strip))
    const target = await realpath(path).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw unsafe(`has the link "${link}", which cannot be followed`)
      return join(await realpath(dirname(path)), await readlink(path)) // dangling: its text was checked
    })
    if (target !== root && !target.startsWith(root + sep)) {
      throw unsafe(`has the link "${link}", which points outside`)
    }
  }
}

function isInside(path: string): boolean {
  return !normalize(path).split('/').includes('..')
}

function unsafe(problem: string): TerraformError {
  return new TerraformError('configuration_unsafe', `The uploaded configuration ${problem}; nothing of it is used.`)
}

function invalid(cause: unknown): TerraformError {
  const text = cause instanceof Error ? cause.message : String(cause)
  return new TerraformError('configuration_invalid', `The configuration archive cannot be unpacked: ${text}.`, {
    cause,
  })
}
