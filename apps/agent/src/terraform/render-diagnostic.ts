/** Writes an error or warning the way terraform does for people, without colours. */
import type { EventDiagnostic } from './terraform-event.js'

/** Several lines, an empty one first, without the last newline. */
export function renderDiagnostic(diagnostic: EventDiagnostic): string {
  const { severity, summary, detail = '' } = diagnostic
  const title = `${severity === 'warning' ? 'Warning' : 'Error'}: ${summary}`
  const place = placeOf(diagnostic)
  const paragraphs = [title, place.join('\n'), detail.replace(/\n+$/, '')]
  return paragraphs
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => `\n${paragraph}`)
    .join('\n')
}

function placeOf({ address, range, snippet }: EventDiagnostic): string[] {
  const lines: string[] = []
  if (address !== undefined) lines.push(`  with ${address}${range === undefined ? '' : ','}`)
  if (range !== undefined) {
    const context = snippet?.context ? `, in ${snippet.context}` : ''
    lines.push(`  on ${range.filename} line ${range.start.line}${context}:`)
  }
  if (snippet !== undefined) {
    const code = snippet.code.split('\n')
    lines.push(...code.map((text, index) => `${String(snippet.start_line + index).padStart(4)}: ${text}`))
    const values = (snippet.values ?? []).map(({ traversal, statement }) => `    │ ${traversal} ${statement}`)
    if (values.length > 0) lines.push('    ├────────────────', ...values)
  }
  return lines
}
