/** A report as an SVG: a bar a row, its length the share of its target that it uses; the line at 1 is the target. */
import type { Report } from './report.js'
import { figure, quantity, targetText } from './table.js'

const width = 920
const rowHeight = 34
const top = 62
const left = 330
/** Where a row that just meets its target ends, and the longest bar. */
const targetAt = 300
const longest = 430

export function picture(report: Report): string {
  const judged = report.rows.filter(({ strain }) => strain !== undefined)
  const height = top + judged.length * rowHeight + 34
  const line = left + targetAt
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="26" font-size="17" font-weight="600" fill="#1b2733">${escaped(report.name)}</text>`,
    `<text x="16" y="46" fill="#5b6b7b">${escaped(report.what)}</text>`,
    ...judged.map((row, index) => bar(row, top + index * rowHeight)),
    `<line x1="${line}" x2="${line}" y1="${top - 6}" y2="${height - 30}" stroke="#1b2733" stroke-dasharray="4 3"/>`,
    `<text x="${line}" y="${height - 12}" text-anchor="middle" fill="#1b2733">target</text>`,
    `<text x="16" y="${height - 12}" fill="#8896a4">${escaped(report.machine)}</text>`,
    '</svg>',
    '',
  ].join('\n')
}

function bar(row: Report['rows'][number], y: number): string {
  const length = Math.max(2, Math.min(longest, (row.strain ?? 0) * targetAt))
  const fill = row.verdict === 'met' ? '#3a9d6e' : '#d1573f'
  const target = row.target === undefined ? '' : targetText(row.target, row.unit)
  const measured = `${quantity(row.ours, row.unit)} · ${figure(row.ratio)}× ${row.against}`
  return [
    `<text x="${left - 10}" y="${y + 12}" text-anchor="end" fill="#1b2733">${escaped(row.what)}</text>`,
    `<text x="${left - 10}" y="${y + 26}" text-anchor="end" font-size="11" fill="#8896a4">${escaped(measured)}</text>`,
    `<rect x="${left}" y="${y + 2}" width="${length.toFixed(1)}" height="20" rx="3" fill="${fill}"/>`,
    `<text x="${left + length + 6}" y="${y + 17}" font-size="11" fill="#5b6b7b">${escaped(target)}</text>`,
  ].join('\n')
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
