/** All reports of a folder as one page of Markdown, so that what was measured at different times can be read side by side. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from './report.js'
import { figure, quantity, targetText } from './table.js'

/** Writes `<directory>/tables.md` from the `<name>.json` that are there, in the order of `names`. */
export async function writeTablesPage(directory: string, names: readonly string[]): Promise<void> {
  const reports = (await Promise.all(names.map((name) => readReport(join(directory, `${name}.json`))))).flat()
  const head =
    '# Benches\n\nWritten by `pnpm bench`; what the columns mean is in [performance.md](../performance.md).\n'
  await writeFile(join(directory, 'tables.md'), [head, ...reports.map(section)].join('\n'))
}

/** None when that bench never ran into this folder. */
async function readReport(path: string): Promise<Report[]> {
  try {
    return [JSON.parse(await readFile(path, 'utf8')) as Report]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function section({ name, what, limit, machine, terraform, seconds, rows }: Report): string {
  return [
    `## ${name}\n`,
    `${what} Against: ${limit}\n`,
    `![${name}](${name}.svg)\n`,
    '| what | ours | limit or rival | against | ratio | target | |',
    '|---|--:|--:|---|--:|---|---|',
    ...rows.map((row) => {
      const target = row.target === undefined ? '' : targetText(row.target, row.unit)
      const cells = [
        quantity(row.ours, row.unit),
        quantity(row.limit, row.unit),
        row.against,
        figure(row.ratio),
        target,
      ]
      return `| ${[row.what, ...cells, row.verdict].join(' | ')} |`
    }),
    `\n${machine}; ${terraform}; ${seconds.toFixed(0)} s\n`,
  ].join('\n')
}
