/** Writes the value of an output the way terraform does for people: by its type, in terraform's own syntax. */
import { exactNumber } from './exact-json.js'

const step = 2

/**
 * @param value as `parseExact` gives it
 * @param type in terraform's JSON notation: `"string"`, `["map", "number"]`, `["object", {…}]`, …; unknown ones are read off the value
 * @param indent blanks before each line but the first
 */
export function renderValue(value: unknown, type: unknown, indent = 0): string {
  const [kind, inner] = Array.isArray(type) ? type : [type]
  if (value === null || value === undefined) return nullOf(kind)
  if (Array.isArray(value)) {
    const sequence = renderSequence(
      value,
      (index) => (kind === 'tuple' ? (inner as unknown[] | undefined)?.[index] : inner),
      indent,
    )
    return kind === 'list' || kind === 'set' ? `to${kind}(${sequence})` : sequence
  }
  if (typeof value === 'object') {
    const typeOf = (key: string) => (kind === 'object' ? (inner as Record<string, unknown> | undefined)?.[key] : inner)
    const mapping = renderMapping(Object.entries(value), typeOf, indent)
    return kind === 'map' ? `tomap(${mapping})` : mapping
  }
  if (typeof value === 'string') return exactNumber(value) ?? renderString(value, indent)
  return typeof value === 'number' ? digitsOf(value) : String(value)
}

const nullable = new Set<unknown>(['string', 'number', 'bool', 'list', 'set', 'map'])

function nullOf(kind: unknown): string {
  return nullable.has(kind) ? `to${kind}(null)` : 'null'
}

function renderSequence(values: unknown[], typeOf: (index: number) => unknown, indent: number): string {
  const inside = indent + step
  return inBrackets(
    '[]',
    values.map((value, index) => `${renderValue(value, typeOf(index), inside)},`),
    indent,
  )
}

function renderMapping(entries: [string, unknown][], typeOf: (key: string) => unknown, indent: number): string {
  const inside = indent + step
  const sorted = entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return inBrackets(
    '{}',
    sorted.map(([key, value]) => `${renderString(key, inside)} = ${renderValue(value, typeOf(key), inside)}`),
    indent,
  )
}

function inBrackets([open = '', close = '']: string, lines: string[], indent: number): string {
  if (lines.length === 0) return open + close
  const inside = ' '.repeat(indent + step)
  return `${open}\n${lines.map((line) => `${inside}${line}\n`).join('')}${' '.repeat(indent)}${close}`
}

/** Of several lines a here document, whose end no line of it may be. */
function renderString(text: string, indent: number): string {
  const lines = text.split('\n')
  if (lines.length < 2) return JSON.stringify(text)
  let end = 'EOT'
  while (lines.some((line) => line.trim() === end)) end += '_'
  const blanks = ' '.repeat(indent)
  return [`${indent > 0 ? '<<-' : '<<'}${end}`, ...[...lines, end].map((line) => blanks + line)].join('\n')
}

/** Never in exponents. */
function digitsOf(value: number): string {
  const text = String(value)
  return /e-/.test(text) ? value.toFixed(20).replace(/0+$/, '') : text
}
