/** Rows as people read them. */
import { type Row, ratioOf, type Target, type Unit, verdictOf } from './row.js'

const columns = ['what', 'ours', 'limit or rival', '', 'ratio', 'target', ''] as const

export function table(rows: readonly Row[]): string {
  const lines: string[][] = [[...columns], ...rows.map(cellsOf)]
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function isNumber(column: number): boolean {
  return column === 1 || column === 2 || column === 4
}

function cellsOf(row: Row): string[] {
  return [
    row.what,
    quantity(row.ours, row.unit),
    quantity(row.limit, row.unit),
    row.against,
    figure(ratioOf(row)),
    row.target === undefined ? '' : targetText(row.target, row.unit),
    verdictOf(row),
  ]
}

export function targetText(target: Target, unit: Unit): string {
  const bound = 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`
  return target.of === 'ours' ? `${bound} ${unit}`.trimEnd() : `${bound} ×`
}

export function quantity(value: number, unit: Unit): string {
  return `${figure(value)} ${unit}`.trimEnd()
}

/** Three digits are what a measurement is good for. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}
