/** The values of a settings table: flag before environment before YAML before default. */
import { readFile } from 'node:fs/promises'
import { parse as parseYaml } from 'yaml'
import { SecretSource } from './secret.js'
import {
  flagOf,
  type Setting,
  SettingError,
  type Settings,
  type SettingsOf,
  type SettingsTable,
  variableOf,
} from './settings.js'

export interface SettingSources {
  /** commander's `opts()`: camelCase names */
  flags: Record<string, unknown>
  env: NodeJS.ProcessEnv
}

interface Found {
  text: string
  /** names setting and place for errors */
  source: string
  isFile: boolean
}

/** Resolves `only` (default: all); @throws SettingError naming the setting and its source. */
export async function resolveSettings<T extends SettingsTable, K extends keyof T = keyof T>(
  settings: Settings<T>,
  sources: SettingSources,
  only: readonly K[] = Object.keys(settings.table) as unknown as K[],
): Promise<Pick<SettingsOf<T>, K>> {
  const file = await readConfigFile(settings, sources)
  const values: Partial<Record<K, unknown>> = {}
  for (const key of only) {
    const one = settings.table[key]
    if (one === undefined) continue
    const found = fromFlags(one, sources.flags) ?? fromEnv(settings, one, sources.env) ?? fromFile(one, file)
    values[key] = await parsedValue(one, found)
  }
  return values as Pick<SettingsOf<T>, K>
}

/** Names of `IAC_*` variables that this program does not read: most likely misspelt. */
export function unknownVariables(settings: Settings, env: NodeJS.ProcessEnv): string[] {
  const known = new Set([`${settings.prefix}_CONFIG`, 'IAC_CRASH_POINT', 'IAC_CLOCK_OFFSET_FILE'])
  for (const one of Object.values(settings.table)) {
    known.add(variableOf(settings, one))
    if (one.kind === 'secret') known.add(`${variableOf(settings, one)}_FILE`)
  }
  return Object.keys(env)
    .filter((name) => name.startsWith('IAC_') && !known.has(name))
    .sort()
}

async function parsedValue(one: Setting<unknown>, found: Found | undefined): Promise<unknown> {
  if (found === undefined) return one.default === undefined ? undefined : one.parse(one.default)
  try {
    if (one.kind !== 'secret') return one.parse(found.text)
    if (found.isFile) return await SecretSource.ofFile(found.text, found.source)
    return SecretSource.ofValue(found.text, found.source)
  } catch (err) {
    throw new SettingError(found.source, err instanceof Error ? err.message : String(err), { cause: err })
  }
}

function fromFlags(one: Setting<unknown>, flags: Record<string, unknown>): Found | undefined {
  const name = flagOf(one)
  const value = flags[camelCase(name.slice(2))]
  return value === undefined ? undefined : { text: String(value), source: name, isFile: one.kind === 'secret' }
}

function fromEnv(settings: Settings, one: Setting<unknown>, env: NodeJS.ProcessEnv): Found | undefined {
  const variable = variableOf(settings, one)
  const value = env[variable]
  if (one.kind !== 'secret') return value ? { text: value, source: variable, isFile: false } : undefined
  const file = env[`${variable}_FILE`]
  if (value && file) throw new SettingError(variable, `and ${variable}_FILE are both given; one of them is enough`)
  if (file) return { text: file, source: `${variable}_FILE`, isFile: true }
  return value ? { text: value, source: variable, isFile: false } : undefined
}

interface ConfigFile {
  path: string
  values: Map<string, string>
}

function fromFile(one: Setting<unknown>, file: ConfigFile | undefined): Found | undefined {
  const key = flagOf(one).slice(2)
  const value = file?.values.get(key)
  if (file === undefined || value === undefined) return undefined
  return { text: value, source: `${key} in ${file.path}`, isFile: one.kind === 'secret' }
}

async function readConfigFile(settings: Settings, sources: SettingSources): Promise<ConfigFile | undefined> {
  const { config } = sources.flags
  const variable = `${settings.prefix}_CONFIG`
  const path = typeof config === 'string' ? config : sources.env[variable]
  if (!path) return undefined
  const source = typeof config === 'string' ? '--config' : variable
  const document = await parseFile(path, source)
  const keys = new Set(Object.values(settings.table).map((one) => flagOf(one).slice(2)))
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(document)) {
    const key = name.replaceAll('_', '-')
    if (!keys.has(key)) throw new SettingError(`${name} in ${path}`, 'is not a known setting')
    if (value !== null) values.set(key, textOf(value))
  }
  return { path, values }
}

async function parseFile(path: string, source: string): Promise<Record<string, unknown>> {
  try {
    const document: unknown = parseYaml(await readFile(path, 'utf8')) ?? {}
    if (typeof document !== 'object' || Array.isArray(document))
      throw new Error('is not a mapping of settings to values')
    return document as Record<string, unknown>
  } catch (err) {
    throw new SettingError(`${source} (${path})`, err instanceof Error ? err.message : String(err), { cause: err })
  }
}

/** YAML lists and mappings read like the flag's `a,b` and `k=v,…`. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',')
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, item]) => `${name}=${String(item)}`)
      .join(',')
  return String(value)
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
