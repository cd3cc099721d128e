/** Finds terraform's errors in the text it printed without `-json`: boxes that begin with "Error:". */
import type { Diagnostic } from '../journal/attempt-record.js'

/** Errors in the order printed; at most `limit` of them, with details cut at 2,000 characters. */
export function readDiagnostics(text: string, limit = 5): Diagnostic[] {
  const lines = text.split('\n').map(withoutFrame)
  const starts = lines.flatMap((line, index) => (line.startsWith('Error: ') ? [index] : []))
  return starts.slice(0, limit).map((start, index) => readBox(lines, start, starts[index + 1] ?? lines.length))
}

function readBox(lines: readonly string[], start: number, nextStart: number): Diagnostic {
  const end = lines.findIndex((line, index) => index > start && index < nextStart && line === boxEnd)
  const body = lines.slice(start + 1, end === -1 ? nextStart : end)
  const summary = [(lines[start] ?? '').slice('Error: '.length).trim()]
  // A long summary is wrapped onto the lines before the first empty one.
  while (body.length > 0 && body[0] !== '') summary.push((body.shift() ?? '').trim())
  const place = body.map((line) => placePattern.exec(line)).find((match) => match !== null)
  return {
    summary: summary.join(' '),
    detail: detailOf(body),
    ...(place ? { file: place[1] ?? '', line: Number(place[2]) } : {}),
  }
}

const boxEnd = '\u2575'
const placePattern = /^\s*on (.+) line (\d+)(?:,|:)/

/** What is said after the place and the quoted source, as one line. */
function detailOf(body: readonly string[]): string {
  return body
    .filter((line) => !placePattern.test(line) && !/^\s*(\d+:|├|│|with .+,$)/.test(line))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
    .slice(0, 2000)
}

/** Takes the frame terraform draws around a diagnostic off a line. */
function withoutFrame(line: string): string {
  const bare = line.replace(/\r$/, '')
  return bare === '╵' ? bare : bare.replace(/^[╷│] ?/, '').trimEnd()
}
