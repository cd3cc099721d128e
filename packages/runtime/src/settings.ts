/** One declarative table of settings; flags, environment variables and YAML keys are made from it. */
import type { Command } from 'commander'
import type { SecretSource } from './secret.js'
import type { SettingParser } from './setting-parsers.js'

/** `value`: text to parse. `switch`: there or not. `secret`: a value in the environment or a file, never on a command line. */
export type SettingKind = 'value' | 'switch' | 'secret'

export interface Setting<T> {
  readonly kind: SettingKind
  /** kebab-case; the YAML key is the same, the variable is the prefix and it in capitals */
  readonly flag: string
  /** how the value is called in --help */
  readonly value: string
  readonly help: string
  readonly parse: SettingParser<T>
  /** text, parsed like any other */
  readonly default?: string | undefined
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>

export interface Settings<T extends SettingsTable = SettingsTable> {
  /** `IAC_SERVER` */
  readonly prefix: string
  readonly table: T
}

export type SettingsOf<T extends SettingsTable> = { [K in keyof T]: T[K] extends Setting<infer V> ? V : never }

export function defineSettings<const T extends SettingsTable>(prefix: string, table: T): Settings<T> {
  return { prefix, table }
}

interface ValueOptions<T> {
  flag: string
  value: string
  help: string
  parse: SettingParser<T>
}

/** A setting with text to parse; without `default` it may be undefined. */
export function setting<T>(options: ValueOptions<T> & { default: string }): Setting<T>
export function setting<T>(options: ValueOptions<T>): Setting<T | undefined>
export function setting<T>(options: ValueOptions<T> & { default?: string }): Setting<T | undefined> {
  return { kind: 'value', ...options }
}

/** A flag without value, false unless given; `true` or `false` in the environment and YAML. */
export function switchSetting(options: { flag: string; help: string }): Setting<boolean> {
  return { kind: 'switch', value: '', parse: parseSwitch, default: 'false', ...options }
}

/** `--<flag>-file FILE`, the variable by value or with `_FILE`, `<flag>-file` in YAML. */
export function secretSetting(options: { flag: string; help: string }): Setting<SecretSource | undefined> {
  return { kind: 'secret', value: 'file', parse: () => undefined, ...options }
}

function parseSwitch(value: string): boolean {
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0' || value === '') return false
  throw new Error(`${JSON.stringify(value)} is not true or false`)
}

/** A setting that is missing or wrong; the message names it and where it came from. */
export class SettingError extends Error {
  readonly code = 'invalid_setting'
  constructor(
    /** `--listen`, `IAC_SERVER_LISTEN`, `listen in /etc/iac.yaml` */
    readonly source: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`${source}: ${problem}`, options)
    this.name = 'SettingError'
  }
}

/** The flag as it is typed: `--listen`, `--operator-token-file`. */
export function flagOf(setting: Setting<unknown>): string {
  return setting.kind === 'secret' ? `--${setting.flag}-file` : `--${setting.flag}`
}

/** The environment variable of a setting. */
export function variableOf(settings: Settings, setting: Setting<unknown>): string {
  return `${settings.prefix}_${setting.flag.replaceAll('-', '_').toUpperCase()}`
}

/** Declares the flags of `only` (default: all settings) on a command, and `--config`. */
export function addSettingFlags<T extends SettingsTable>(
  command: Command,
  settings: Settings<T>,
  only: readonly (keyof T)[] = Object.keys(settings.table),
): Command {
  for (const key of only) {
    const one = settings.table[key]
    if (one === undefined) continue
    const variable = one.kind === 'secret' ? `${variableOf(settings, one)}[_FILE]` : variableOf(settings, one)
    const fallback =
      one.default === undefined || one.default === '' || one.kind === 'switch' ? '' : `, default ${one.default}`
    command.option(
      one.kind === 'switch' ? flagOf(one) : `${flagOf(one)} <${one.value}>`,
      `${one.help} (${variable}${fallback})`,
    )
  }
  return command.option('--config <file>', `YAML file with the same names as keys (${settings.prefix}_CONFIG)`)
}

/** The value of a setting that this command cannot do without. */
export function needSetting<V>(settings: Settings, key: string, value: V | undefined): V {
  if (value !== undefined) return value
  const one = settings.table[key]
  if (one === undefined) throw new Error(`no setting ${key}`)
  const variable = one.kind === 'secret' ? `${variableOf(settings, one)}[_FILE]` : variableOf(settings, one)
  throw new SettingError(
    flagOf(one),
    `is needed; it may also be given as ${variable} or by ${flagOf(one).slice(2)} in --config`,
  )
}
