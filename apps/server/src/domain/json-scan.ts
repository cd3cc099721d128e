/** Finds members of a JSON object as slices of its bytes: what is stored must not pass through parse and stringify. */

export interface Slice {
  readonly start: number
  /** exclusive */
  readonly end: number
}

export interface Members {
  /** raw slices of the values, by the keys' texts; of a double key the last */
  readonly byKey: ReadonlyMap<string, Slice>
  /** the object's end was found; otherwise the bytes end inside it */
  readonly isWhole: boolean
  /** the index after what was scanned */
  readonly end: number
}

const quote = 0x22
const backslash = 0x5c
const open = new Set([0x7b, 0x5b])
const close = new Set([0x7d, 0x5d])

/** Scans the object that begins at `from`. Undefined when there is none, or it is malformed. */
export function scanMembers(bytes: Buffer, from = 0): Members | undefined {
  const byKey = new Map<string, Slice>()
  let at = skipSpace(bytes, bytes.subarray(0, 3).equals(byteOrderMark) && from === 0 ? 3 : from)
  if (bytes[at] !== 0x7b) return undefined
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === 0x7d) return { byKey, isWhole: true, end: at + 1 }
  while (at < bytes.length) {
    const torn = { byKey, isWhole: false, end: at }
    if (bytes[at] !== quote) return undefined
    const keyEnd = endOfString(bytes, at)
    if (keyEnd === undefined) return torn
    const key = readString(bytes, { start: at, end: keyEnd })
    at = skipSpace(bytes, keyEnd)
    if (at >= bytes.length) return torn
    if (key === undefined || bytes[at] !== 0x3a) return undefined
    const start = skipSpace(bytes, at + 1)
    const end = endOfValue(bytes, start)
    if (end === undefined) return torn
    if (end === start) return undefined
    byKey.set(key, { start, end })
    at = skipSpace(bytes, end)
    if (bytes[at] === 0x7d) return { byKey, isWhole: true, end: at + 1 }
    if (at < bytes.length && bytes[at] !== 0x2c) return undefined
    at = skipSpace(bytes, at + 1)
  }
  return { byKey, isWhole: false, end: at }
}

/** The elements of the array that begins at `from`, as slices. Undefined when there is none, or it is torn or malformed. */
export function scanElements(bytes: Buffer, from: number): Slice[] | undefined {
  if (bytes[from] !== 0x5b) return undefined
  const elements: Slice[] = []
  let start = skipSpace(bytes, from + 1)
  if (bytes[start] === 0x5d) return elements
  while (start < bytes.length) {
    const end = endOfValue(bytes, start)
    if (end === undefined || end === start) return undefined
    elements.push({ start, end })
    const at = skipSpace(bytes, end)
    if (bytes[at] === 0x5d) return elements
    if (bytes[at] !== 0x2c) return undefined
    start = skipSpace(bytes, at + 1)
  }
  return undefined
}

/** The text of a string's slice; undefined when it is no JSON string. */
export function readString(bytes: Buffer, { start, end }: Slice): string | undefined {
  if (bytes[start] !== quote) return undefined
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string
  } catch (err) {
    if (err instanceof SyntaxError) return undefined // a raw control character or a bad escape
    throw err
  }
}

/** The bytes without white space outside strings. */
export function withoutSpace(bytes: Buffer): Buffer {
  const compact = Buffer.allocUnsafe(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number
    if (byte === quote) {
      const end = endOfString(bytes, at) ?? bytes.length
      length += bytes.copy(compact, length, at, end)
      at = end
    } else {
      if (!isSpace(byte)) compact[length++] = byte
      at++
    }
  }
  return compact.subarray(0, length)
}

export function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && isSpace(bytes[at] as number)) at++
  return at
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** The index after the closing quote of the string that opens at `from`; undefined when the bytes end inside it. */
function endOfString(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(quote, from + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let escapes = 0
    while (bytes[at - 1 - escapes] === backslash) escapes++
    if (escapes % 2 === 0) return at + 1
  }
  return undefined
}

/** The index after the value that begins at `from`; undefined when the bytes end inside it. */
function endOfValue(bytes: Buffer, from: number): number | undefined {
  let depth = 0
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === quote) {
      const end = endOfString(bytes, at)
      if (end === undefined) return undefined
      if (depth === 0) return end
      at = end - 1
    } else if (open.has(byte)) depth++
    else if (close.has(byte)) {
      if (depth === 0) return at
      depth--
      if (depth === 0) return at + 1
    } else if (depth === 0 && (byte === 0x2c || isSpace(byte))) return at
  }
  return undefined
}
