/** A report on disk, and its picture beside it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { picture } from './picture.js'
import type { Report } from './report.js'

/** `<directory>/<name>.json` and the picture made from it, `<name>.svg`. */
export async function writeReport(directory: string, report: Report): Promise<void> {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${report.name}.json`), `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(join(directory, `${report.name}.svg`), picture(report))
}
