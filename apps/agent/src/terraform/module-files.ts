/** The files terraform (and tofu) read as one module: which they are, and in which order overrides are merged. */
import { readdirSync } from 'node:fs'

export interface ModuleFile {
  readonly name: string
  readonly isJson: boolean
  /** Merged over the others, in the order of names. */
  readonly isOverride: boolean
}

const pattern = /^(.*?)\.(?:tf|tofu)(\.json)?$/

/** The module's files in `directory` by name; empty when there is no such directory. It was just written: no disk is waited for. */
export function moduleFiles(directory: string): ModuleFile[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return [] // terraform itself says that the module is missing
    throw cause
  }
  return names.sort(byBytes).flatMap((name) => moduleFile(name) ?? [])
}

function moduleFile(name: string): ModuleFile | undefined {
  const match = pattern.exec(name)
  const stem = match?.[1]
  if (stem === undefined || stem === '' || /^[.#]|~$/.test(name)) return undefined
  return { name, isJson: match?.[2] !== undefined, isOverride: stem === 'override' || stem.endsWith('_override') }
}

/** `stem`, lengthened if need be so that a file beginning with it, then `.` or `_`, sorts after all of `names`. */
export function lastStem(stem: string, names: readonly string[]): string {
  const last = [...names].sort(byBytes).at(-1)
  if (last === undefined || byBytes(last, stem) < 0) return stem
  return `${last.replace(/\..*$/, '')}_${stem}`
}

/** Go sorts names by bytes. */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
