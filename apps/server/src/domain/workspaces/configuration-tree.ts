/** Judges the entries of an uploaded tree: nothing in it may reach outside, and what terraform must not see is left out. */
import { posix } from 'node:path'
import { ApiError, limits } from '@iac-agent/protocol'

/** What is judged of a tar entry. */
export interface TreeEntry {
  path: string
  /** tar's word: File, Directory, SymbolicLink, Link, CharacterDevice, … */
  type: string
  linkpath?: string | undefined
  /** bytes */
  size: number
}

const plainTypes = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir'])
/** As the kernel's own bound on links in one path. */
const maxHops = 40

export class ConfigurationTree {
  readonly #skipped = new Set<string>()
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  readonly #links = new Map<string, string>()
  #entries = 0
  #sizeBytes = 0

  /** Entries left out, each named once by its topmost part. */
  get skipped(): string[] {
    return [...this.#skipped]
  }

  /** Answers the clean path to keep the entry under, undefined to leave it out. @throws ApiError naming the entry */
  judge(entry: TreeEntry): string | undefined {
    this.#count(entry)
    const name = JSON.stringify(entry.path)
    if (entry.path.startsWith('/')) throw unsafe(entry, `${name} is an absolute path`)
    const parts = entry.path.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.includes('..')) throw unsafe(entry, `${name} climbs with ".."`)
    const unwanted = parts.findIndex(isUnwanted)
    if (unwanted >= 0) {
      this.#skipped.add(parts.slice(0, unwanted + 1).join('/'))
      return undefined
    }
    const path = parts.join('/')
    this.#remember(entry, path)
    return path === '' ? undefined : path
  }

  /** What only the whole tree shows: where links really lead. @throws ApiError naming the entry */
  finish(): void {
    for (const [path, target] of this.#links) {
      const name = JSON.stringify(path)
      if (this.#folders.has(path) || this.#files.has(path))
        throw unsafe({ path }, `${name} is a link and something else as well`)
      if (!this.#staysInside(path))
        throw unsafe({ path }, `the link ${name} to ${JSON.stringify(target)} leads outside`)
    }
  }

  #count({ size }: TreeEntry): void {
    this.#entries += 1
    this.#sizeBytes += size
    const { configurationEntries: entries, configurationUnpackedBytes: bytes } = limits
    if (this.#entries > entries)
      throw new ApiError('too_large', `the configuration has more than ${entries} entries`, { limit_entries: entries })
    if (this.#sizeBytes > bytes)
      throw new ApiError('too_large', `the configuration unpacks to more than ${bytes} bytes`, { limit_bytes: bytes })
  }

  #remember(entry: TreeEntry, path: string): void {
    const name = JSON.stringify(entry.path)
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) this.#folders.add(folder)
    if (entry.type === 'SymbolicLink') {
      this.#links.set(path, entry.linkpath ?? '')
    } else if (entry.type === 'Link') {
      if (!this.#files.has(posix.normalize(entry.linkpath ?? '')))
        throw unsafe(entry, `the hard link ${name} is not to a file that came before it in the archive`)
      this.#files.add(path)
    } else if (!plainTypes.has(entry.type)) {
      throw unsafe(entry, `${name} is a ${entry.type}; only files, directories and links are taken`)
    } else if (entry.type !== 'Directory' && entry.type !== 'GNUDumpDir') {
      this.#files.add(path)
    } else if (path !== '') {
      this.#folders.add(path)
    }
  }

  /** Follows a link as the kernel would, through links on its way. */
  #staysInside(link: string): boolean {
    const place: string[] = []
    const ahead = link.split('/')
    for (let hops = 0; ahead.length > 0; ) {
      const part = ahead.shift() ?? ''
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (place.pop() === undefined) return false
        continue
      }
      place.push(part)
      const target = this.#links.get(place.join('/'))
      if (target === undefined) continue
      hops += 1
      if (target.startsWith('/') || hops > maxHops) return false
      place.pop()
      ahead.unshift(...target.split('/'))
    }
    return true
  }
}

/** `.git`, `.terraform`, `*.tfstate*`: history, caches and states are not configuration. */
function isUnwanted(part: string): boolean {
  return part === '.git' || part === '.terraform' || part.includes('.tfstate')
}

function unsafe({ path }: { path: string }, problem: string): ApiError {
  return new ApiError('invalid_request', `the configuration is refused: ${problem}`, { entry: path })
}
