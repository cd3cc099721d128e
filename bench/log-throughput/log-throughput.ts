/** How fast the output of a terraform that prints without pause is carried to the server's disk, and what it costs while it is. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from '@iac-agent/testkit'
import type { Bench, BenchContext } from '../bench.js'
import { type TerraformText, terraformText } from '../measure/terraform-text.js'
import type { Row } from '../report/row.js'
import { BlockPrinter } from './block-printer.js'
import { type Carried, type CarriedBare, carry, carryMinimum, type Volume } from './carried.js'

const mebibyte = 1024 * 1024
const blockMiB = 4
/** In turns with the minimum and the plain file; the middle one counts. */
const judgedRounds = 3

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
    return [
      ...measured.map(speedRow),
      ...memoryRows(measured, 'agent', 150),
      ...memoryRows(measured, 'server', 250),
      ...measured.map(wallRow),
      ...measured.filter(({ volume }) => volume.isJudged).map(cpuRow),
    ]
  },
}

interface JudgedVolume extends Volume {
  readonly isJudged: boolean
}

/** The largest of one task is judged, and several: 1 GiB and 8 times 128 MiB with `--full`, a quarter and about the third without. */
function volumes(isFull: boolean): JudgedVolume[] {
  const volume = (tasks: number, size: number, isJudged = false) => ({ tasks, blocks: size / blockMiB, isJudged })
  const growing = (isFull ? [16, 64, 256] : [16, 64]).map((size) => volume(1, size))
  return [...growing, volume(1, isFull ? 1024 : 256, true), volume(8, isFull ? 128 : 48, true)]
}

interface Measured {
  readonly volume: JudgedVolume
  readonly totalMiB: number
  readonly ours: Carried
  readonly minimum: CarriedBare
  /** the same printers into plain files */
  readonly plainMs: number
}

async function measure(
  { directory, say }: BenchContext,
  printer: BlockPrinter,
  text: TerraformText,
  volume: JudgedVolume,
): Promise<Measured> {
  say(nameOf(volume))
  const [ours, minimum, plainMs]: [Carried[], CarriedBare[], number[]] = [[], [], []]
  for (let round = 0; round < (volume.isJudged ? judgedRounds : 1); round++) {
    const files = Array.from({ length: volume.tasks }, (_, index) => join(directory, `plain-${index}`))
    plainMs.push(await printer.printInto(files, volume.blocks))
    minimum.push(await carryMinimum(directory, files))
    for (const file of files) await rm(file)
    ours.push(await carry(printer, text, volume))
  }
  return {
    volume,
    totalMiB: (volume.tasks * volume.blocks * text.bytes.length) / mebibyte,
    ours: {
      ms: median(ours.map(({ ms }) => ms)),
      printingMs: median(ours.map(({ printingMs }) => printingMs)),
      agentPeakKiB: Math.max(...ours.map(({ agentPeakKiB }) => agentPeakKiB)),
      serverPeakKiB: Math.max(...ours.map(({ serverPeakKiB }) => serverPeakKiB)),
      cpuSeconds: median(ours.map(({ cpuSeconds }) => cpuSeconds)),
    },
    minimum: { ms: median(minimum.map(({ ms }) => ms)), cpuSeconds: median(minimum.map((one) => one.cpuSeconds)) },
    plainMs: median(plainMs),
  }
}

function nameOf({ tasks, blocks }: Volume): string {
  return tasks === 1 ? `1 task, ${blocks * blockMiB} MiB` : `${tasks} tasks, ${blocks * blockMiB} MiB each`
}

function speedRow({ volume, totalMiB, ours, minimum }: Measured): Row {
  const row: Row = {
    what: nameOf(volume),
    ours: totalMiB / (ours.ms / 1000),
    limit: totalMiB / (minimum.ms / 1000),
    unit: 'MiB/s',
    against: 'the minimum',
  }
  return volume.isJudged ? { ...row, target: { of: 'ratio', atLeast: 0.7 } } : row
}

/** What is shown for its growth is beside the smallest volume. */
function memoryRows(all: readonly Measured[], who: 'agent' | 'server', atMost: number): Row[] {
  const mebibytes = ({ ours }: Measured) => ours[`${who}PeakKiB`] / 1024
  return all.map((measured) => {
    const row: Row = {
      what: `${who}'s peak memory, ${nameOf(measured.volume)}`,
      ours: mebibytes(measured),
      limit: mebibytes(all[0] ?? measured),
      unit: 'MiB',
      against: nameOf((all[0] ?? measured).volume),
    }
    return measured.volume.isJudged ? { ...row, target: { of: 'ours', atMost } } : row
  })
}

function wallRow({ volume, ours, plainMs }: Measured): Row {
  const row: Row = {
    what: `terraform's wall time, ${nameOf(volume)}`,
    ours: ours.printingMs / volume.tasks,
    limit: plainMs,
    unit: 'ms',
    against: volume.tasks === 1 ? 'into a plain file' : 'into plain files',
  }
  return volume.isJudged && volume.tasks === 1 ? { ...row, target: { of: 'ratio', atMost: 1.05 } } : row
}

/** Agent and server, and both sides of the minimum. */
function cpuRow({ volume, totalMiB, ours, minimum }: Measured): Row {
  return {
    what: `CPU of both sides a GiB, ${nameOf(volume)}`,
    ours: (ours.cpuSeconds / totalMiB) * 1024,
    limit: (minimum.cpuSeconds / totalMiB) * 1024,
    unit: 's',
    against: 'the minimum',
  }
}
