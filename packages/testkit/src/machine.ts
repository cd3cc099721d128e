/** What a figure was measured on, for tables and reports. */
import { cpus, totalmem } from 'node:os'

/** One line: processor, cores, memory, Node. */
export function machine(): string {
  const all = cpus()
  const memoryGiB = Math.round(totalmem() / 2 ** 30)
  return `${all[0]?.model.trim() ?? 'unknown cpu'}, ${all.length} cores, ${memoryGiB} GiB, node ${process.versions.node}`
}
