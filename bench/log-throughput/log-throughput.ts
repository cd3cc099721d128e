/** How fast the output of a terraform that prints without pause is carried to the server's disk, and what it costs while it is. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, BenchContext } from '../bench.js'
import { type TerraformText, terraformText } from '../measure/terraform-text.js'
import type { Row } from '../report/row.js'
import { BlockPrinter } from './block-printer.js'
import { type Carried, type CarriedBare, carry, carryMinimum, type Volume } from './carried.js'

const mebibyte = 1024 * 1024
const blockMiB = 4

export const logThroughput: Bench = {
  name: 'log-throughput',
  what: 'tasks that print terraform-like text as fast as cat can, a sensitive variable in it: MiB/s until the log is sealed',
  limit:
    'hand-written: gzip + HTTP POST + gunzip + SQLite insert of the same 1 MiB chunks, one in flight a stream, no protocol',
  async run(context) {
    const text = terraformText(blockMiB * mebibyte)
    const printer = await BlockPrinter.layOut(context.directory, text.bytes)
    const measured: Measured[] = []
    for (const volume of volumes(context.isFull)) measured.push(await measure(context, printer, text, volume))
    return [...measured.flatMap(rowsOf), ...memoryRows(measured), ...wallRows(measured), ...cpuRows(measured)]
  },
}

/** In MiB; the last of one task is the one that is judged. `--full` prints the 1 GiB, and 8 times 128 MiB. */
function volumes(isFull: boolean): Volume[] {
  const alone = (isFull ? [16, 64, 256, 1024] : [16, 64, 256]).map((size) => ({ tasks: 1, blocks: size / blockMiB }))
  return [...alone, { tasks: 8, blocks: (isFull ? 128 : 64) / blockMiB }]
}

interface Measured {
  readonly volume: Volume
  readonly totalMiB: number
  readonly ours: Carried
  readonly minimum: CarriedBare
  /** the same printer into a plain file */
  readonly plainMs: number
}

async function measure(
  { directory, say }: BenchContext,
  printer: BlockPrinter,
  text: TerraformText,
  volume: Volume,
): Promise<Measured> {
  const totalMiB = (volume.tasks * volume.blocks * text.bytes.length) / mebibyte
  say(nameOf(volume))
  const files = Array.from({ length: volume.tasks }, (_, index) => join(directory, `plain-${index}`))
  const plainMs = await printer.printInto(files, volume.blocks)
  const minimum = await carryMinimum(directory, files)
  for (const file of files) await rm(file)
  const ours = await carry(printer, text, volume)
  return { volume, totalMiB, ours, minimum, plainMs }
}

function nameOf({ tasks, blocks }: Volume): string {
  return tasks === 1 ? `1 task, ${blocks * blockMiB} MiB` : `${tasks} tasks, ${blocks * blockMiB} MiB each`
}

function rowsOf({ volume, totalMiB, ours, minimum }: Measured, index: number, all: readonly Measured[]): Row[] {
  const row: Row = {
    what: nameOf(volume),
    ours: totalMiB / (ours.ms / 1000),
    limit: totalMiB / (minimum.ms / 1000),
    unit: 'MiB/s',
    against: 'the minimum',
  }
  return [isJudged(index, all) ? { ...row, target: { of: 'ratio', atLeast: 0.7 } } : row]
}

/** The largest volume of one task, and that of several. */
function isJudged(index: number, all: readonly Measured[]): boolean {
  return index >= all.length - 2
}

function memoryRows(all: readonly Measured[]): Row[] {
  const first = all[0]
  if (first === undefined) return []
  const rows = (who: 'agent' | 'server', atMost: number) =>
    all.map(({ volume, ours }, index): Row => {
      const row: Row = {
        what: `${who}'s peak memory, ${nameOf(volume)}`,
        ours: ours[who].peakRssKiB / 1024,
        limit: first.ours[who].peakRssKiB / 1024,
        unit: 'MiB',
        against: nameOf(first.volume),
      }
      return isJudged(index, all) ? { ...row, target: { of: 'ours', atMost } } : row
    })
  return [...rows('agent', 150), ...rows('server', 250)]
}

function wallRows(all: readonly Measured[]): Row[] {
  return all.map(({ volume, ours, plainMs }, index): Row => {
    const row: Row = {
      what: `terraform's wall time, ${nameOf(volume)}`,
      ours: ours.printingMs / volume.tasks,
      limit: plainMs,
      unit: 'ms',
      against: volume.tasks === 1 ? 'into a plain file' : 'into plain files',
    }
    return index === all.length - 2 ? { ...row, target: { of: 'ratio', atMost: 1.05 } } : row
  })
}

/** Agent and server, and both sides of the minimum. */
function cpuRows(all: readonly Measured[]): Row[] {
  return all
    .filter((_, index) => isJudged(index, all))
    .map(({ volume, totalMiB, ours, minimum }) => ({
      what: `CPU of both sides a GiB, ${nameOf(volume)}`,
      ours: (ours.cpuSeconds / totalMiB) * 1024,
      limit: (minimum.cpuSeconds / totalMiB) * 1024,
      unit: 's',
      against: 'the minimum',
    }))
}
