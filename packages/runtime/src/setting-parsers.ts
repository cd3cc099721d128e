/** Text of a flag, variable or YAML scalar to a typed value; each throws a plain Error that says what is wrong with it. */
import { isIP } from 'node:net'
import { resolve } from 'node:path'

export type SettingParser<T> = (text: string) => T

export const text: SettingParser<string> = (value) => {
  if (value.trim() === '') throw new Error('must not be empty')
  return value.trim()
}

/** A file or folder, made absolute. */
export const path: SettingParser<string> = (value) => resolve(text(value))

export function integer(bounds: { min: number; max: number }): SettingParser<number> {
  return (value) => {
    const number = /^\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN
    if (!(number >= bounds.min && number <= bounds.max))
      throw new Error(`${quoted(value)} is not a whole number from ${bounds.min} to ${bounds.max}`)
    return number
  }
}

const durations: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `500ms`, `10s`, `5m`, `24h`, `7d`, `0` to milliseconds; the bounds are milliseconds too. */
export function durationMs(bounds: { min?: number; max?: number } = {}): SettingParser<number> {
  return (value) => {
    const [, number, unit = 'ms'] = /^(0|\d+(?:\.\d+)?(?=ms|s|m|h|d))(ms|s|m|h|d)?$/.exec(value.trim()) ?? []
    const ms = number === undefined ? Number.NaN : Math.round(Number(number) * (durations[unit] ?? Number.NaN))
    if (Number.isNaN(ms)) throw new Error(`${quoted(value)} is not a duration such as 500ms, 10s, 5m or 24h`)
    if (bounds.min !== undefined && ms < bounds.min) throw new Error(`${quoted(value)} is below ${bounds.min}ms`)
    if (bounds.max !== undefined && ms > bounds.max) throw new Error(`${quoted(value)} is above ${bounds.max}ms`)
    return ms
  }
}

const sizes: Record<string, number> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** `64KiB`, `512MiB`, `2GB`, `100B` to bytes. */
export const sizeBytes: SettingParser<number> = (value) => {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB|KiB|MiB|GiB)$/.exec(value.trim()) ?? []
  if (number === undefined) throw new Error(`${quoted(value)} is not a size such as 64KiB or 512MiB`)
  return Math.round(Number(number) * (sizes[unit] ?? 1))
}

/** `a,b,c`, blanks trimmed, empty items dropped. */
export const list: SettingParser<string[]> = (value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** `127.0.0.1,10.0.0.0/8,fd00::/8`: addresses and networks. */
export const networks: SettingParser<string[]> = (value) => {
  const items = list(value)
  for (const item of items) {
    const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(item) ?? []
    const version = isIP(address)
    if (version === 0 || Number(bits ?? 0) > (version === 4 ? 32 : 128))
      throw new Error(`${quoted(item)} is not an address or a network such as 10.0.0.0/8`)
  }
  return items
}

/** `zone=eu,gpu=yes`; a name may come once. */
export const labels: SettingParser<Record<string, string>> = (value) => {
  const pairs: Record<string, string> = {}
  for (const item of list(value)) {
    const [, name, labelValue] = /^([A-Za-z0-9][\w.\-/]*)=(.*)$/.exec(item) ?? []
    if (name === undefined || labelValue === undefined)
      throw new Error(`${quoted(item)} is not a label such as zone=eu`)
    if (Object.hasOwn(pairs, name)) throw new Error(`label ${quoted(name)} is given twice`)
    pairs[name] = labelValue
  }
  return pairs
}

export function choice<const T extends string>(words: readonly T[]): SettingParser<T> {
  return (value) => {
    const word = words.find((one) => one === value.trim())
    if (word === undefined) throw new Error(`${quoted(value)} is not one of ${words.join(', ')}`)
    return word
  }
}

/** An absolute URL of one of `protocols` (such as `https:`) without user, query or fragment. */
export function url(options: { protocols: readonly string[] }): SettingParser<URL> {
  return (value) => {
    const parsed = URL.canParse(value.trim()) ? new URL(value.trim()) : undefined
    if (parsed === undefined || !options.protocols.includes(parsed.protocol))
      throw new Error(
        `${quoted(value)} is not a URL that begins with ${options.protocols.map((p) => `${p}//`).join(' or ')}`,
      )
    if (parsed.username !== '' || parsed.password !== '') throw new Error('must not contain a user name or password')
    if (parsed.search !== '' || parsed.hash !== '') throw new Error('must not contain a query or fragment')
    return parsed
  }
}

export interface ListenAddress {
  /** name or address, without brackets */
  host: string
  /** 0 = any free port */
  port: number
}

/** `127.0.0.1:8080`, `[::1]:0`, `localhost:8080`. */
export const listenAddress: SettingParser<ListenAddress> = (value) => {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(value.trim()) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port > 65_535) throw new Error(`${quoted(value)} is not an address such as 127.0.0.1:8080`)
  return { host, port }
}

const quoted = (value: string) => JSON.stringify(value)
