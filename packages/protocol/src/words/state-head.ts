/**
 * Reads `version`, `serial`, `lineage` and `terraform_version` of a state from its first bytes, without parsing the whole:
 * states reach hundreds of megabytes, and JavaScript's numbers would change large integers. Terraform writes these members first.
 */

export interface StateHead {
  readonly version?: number
  readonly serial?: number
  readonly lineage?: string
  readonly terraformVersion?: string
}

/** Bytes that are enough for every head terraform and tofu write. */
export const stateHeadBytes = 64 * 1024

/**
 * @param text the state's first `stateHeadBytes`, decoded as UTF-8 (a torn last character does no harm)
 * @returns undefined when the text is not the beginning of a JSON object
 */
export function readStateHead(text: string): StateHead | undefined {
  let at = skipSpace(text, text.charCodeAt(0) === 0xfeff ? 1 : 0)
  if (text[at] !== '{') return undefined
  at = skipSpace(text, at + 1)
  const found: Record<string, unknown> = {}
  while (text[at] === '"') {
    const key = readString(text, at)
    if (key === undefined) break
    at = skipSpace(text, key.end)
    if (at === text.length) break
    if (text[at] !== ':') return undefined
    at = skipSpace(text, at + 1)
    const end = endOfValue(text, at)
    if (end === undefined) break
    if (wanted.has(key.value)) found[key.value] = scalar(text.slice(at, end))
    at = skipSpace(text, end)
    if (text[at] !== ',') break
    at = skipSpace(text, at + 1)
  }
  return headOf(found)
}

const wanted = new Set(['version', 'serial', 'lineage', 'terraform_version'])

function headOf(found: Record<string, unknown>): StateHead {
  const { version, serial, lineage, terraform_version: terraformVersion } = found
  return {
    ...(typeof version === 'number' ? { version } : {}),
    ...(typeof serial === 'number' ? { serial } : {}),
    ...(typeof lineage === 'string' ? { lineage } : {}),
    ...(typeof terraformVersion === 'string' ? { terraformVersion } : {}),
  }
}

function scalar(slice: string): unknown {
  if (!/^["\d-]/.test(slice)) return undefined
  try {
    return JSON.parse(slice)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // not a scalar: then the member is not one we read
    throw error
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text[at] as string)) at++
  return at
}

function readString(text: string, from: number): { value: string; end: number } | undefined {
  const end = endOfString(text, from)
  return end === undefined ? undefined : { value: text.slice(from + 1, end - 1), end }
}

function endOfString(text: string, from: number): number | undefined {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return undefined
}

/** The index after the value that begins at `from`, or undefined when the text ends inside it. */
function endOfValue(text: string, from: number): number | undefined {
  if (text[from] === '"') return endOfString(text, from)
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const c = text[at] as string
    if (c === '"') {
      const end = endOfString(text, at)
      if (end === undefined) return undefined
      at = end - 1
    } else if (c === '{' || c === '[') depth++
    else if (c === '}' || c === ']') {
      if (depth === 0) return at
      depth--
      if (depth === 0) return at + 1
    } else if (depth === 0 && (c === ',' || ' \t\r\n'.includes(c))) return at
  }
  return undefined
}
