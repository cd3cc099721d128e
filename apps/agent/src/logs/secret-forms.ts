/** Every form in which a secret may turn up in output: as it is, escaped, encoded, and line by line. */

/** Shorter values are left out: hiding each `1` or `on` would hide the log, not a secret. Bytes. */
const shortestSecretBytes = 3

/** Shorter lines of a multi-line value (`}`, `---`) are left out. Bytes. */
const shortestLineBytes = 8

/** The byte patterns that stand for `secret`, without doubles. */
export function formsOf(secret: string): Buffer[] {
  const value = Buffer.from(secret).toString() // a lone surrogate becomes U+FFFD, as in whatever prints it
  if (Buffer.byteLength(value) < shortestSecretBytes) return []
  const forms = new Set<string>(textFormsOf(value))
  for (const form of base64FormsOf(Buffer.from(value))) forms.add(form)
  for (const line of longLinesOf(value)) for (const form of textFormsOf(line)) forms.add(form)
  const whole = [...forms].map((form) => Buffer.from(form)).filter((form) => form.length >= shortestSecretBytes)
  return [...whole, ...whole.flatMap(piecesOf)]
}

/** Shorter forms have no pieces: what is left of them in one half says little, and short pieces turn up by chance. Bytes. */
const shortestCutBytes = 48
/** Longer forms have none either: their pieces would take three times their length in the matcher's tables. Bytes. */
const longestCutBytes = 64 * 1024
const pieceBytes = 24
const pieceEveryBytes = 8
/** A piece such as a row of blanks or dashes is no secret. */
const leastDifferentBytes = 6

/**
 * Overlapping parts of a long form. Terraform cuts a line of a local-exec where its writer pauses for about 100 ms (measured), so
 * that a value can be printed in two halves on two lines: at most 7 bytes of it stay on either side of the cut, or 30 when less than
 * a piece is left.
 */
function piecesOf(form: Buffer): Buffer[] {
  if (form.length < shortestCutBytes || form.length > longestCutBytes) return []
  const pieces: Buffer[] = []
  for (let at = 0; at + pieceBytes <= form.length; at += pieceEveryBytes) {
    const piece = form.subarray(at, at + pieceBytes)
    if (new Set(piece).size >= leastDifferentBytes) pieces.push(piece)
  }
  return pieces
}

function textFormsOf(value: string): string[] {
  const json = jsonEscape(value)
  const go = goJsonEscape(json)
  return [
    value,
    json,
    go,
    jsonEscape(json), // jsonencode() of a string shown inside a quoted string
    jsonEscape(go),
    goQuote(value),
    ...urlFormsOf(value),
  ]
}

function jsonEscape(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}

/** Go's encoding/json (terraform's jsonencode and `-json`) also escapes what HTML would interpret. */
function goJsonEscape(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Terraform's plan shows strings by Go's %q: control characters as \x01, \a and \v. */
function goQuote(value: string): string {
  return jsonEscape(value).replace(/\\u00([01][0-9a-f])|\x7f/g, (whole, hex: string | undefined) => {
    if (whole === '\x7f') return '\\x7f'
    if (hex === '07') return '\\a'
    return hex === '0b' ? '\\v' : `\\x${hex}`
  })
}

/** JavaScript's, Go's QueryEscape (terraform's urlencode) and PathEscape; hex digits in both cases. */
function urlFormsOf(value: string): string[] {
  const loose = encodeURIComponent(value)
  const strict = loose.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const forms = [loose, strict, strict.replaceAll('%20', '+')]
  return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()))]
}

/**
 * Base64 of `secret` wherever it stands inside a longer text: its characters depend on the text before only by length mod 3. A
 * character that also holds bits of a neighbour cannot be known and stays (at most 4 bits of the secret at each end).
 */
function base64FormsOf(secret: Buffer): string[] {
  const whole = secret.toString('base64')
  const forms = [whole, whole.replace(/=+$/, '')]
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), secret]).toString('base64')
    const from = Math.ceil((before * 8) / 6)
    const to = Math.floor(((before + secret.length) * 8) / 6)
    if (to - from >= shortestEncoded) forms.push(encoded.slice(from, to))
  }
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** A shorter run of base64 characters turns up by chance. */
const shortestEncoded = 4

function longLinesOf(value: string): string[] {
  if (!/[\r\n]/.test(value)) return []
  return value
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => Buffer.byteLength(line) >= shortestLineBytes)
}
