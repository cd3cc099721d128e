/** What both ways cost for the same text: through agent and server, and by the hand-written minimum. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createPoolAndKey, eventually, type RunningServer, startAgent, startServer } from '@iac-agent/testkit'
import { Pool } from 'undici'
import { usageOf } from '../measure/process-usage.js'
import { secret, type TerraformText } from '../measure/terraform-text.js'
import { timed } from '../measure/timed.js'
import { startPeer } from '../peers/peer.js'
import { type BlockPrinter, moduleOf } from './block-printer.js'
import { sendFile } from './minimum.js'

/** So many tasks at once, each with so many blocks of text. */
export interface Volume {
  readonly tasks: number
  readonly blocks: number
}

export interface Carried {
  /** from the first printer's begin until each log is sealed */
  readonly ms: number
  /** the printers' own wall times, added up */
  readonly printingMs: number
  readonly agentPeakKiB: number
  readonly serverPeakKiB: number
  /** of both, for these tasks */
  readonly cpuSeconds: number
}

export interface CarriedBare {
  readonly ms: number
  /** of both sides */
  readonly cpuSeconds: number
}

/** With a server and an agent of its own, so that their peaks are of this volume alone. */
export async function carry(printer: BlockPrinter, text: TerraformText, { tasks, blocks }: Volume): Promise<Carried> {
  await using server = await startServer()
  const { poolId, key } = await createPoolAndKey(server.client)
  const args = ['--terraform-path', printer.program, '--plan-limit', String(tasks)]
  await using agent = await startAgent({ server, key, args })
  const workspaces = await Promise.all(
    Array.from({ length: tasks }, async (_, index) => {
      const body = { name: `w${index}`, pool_id: poolId, tf_code: moduleOf(blocks) }
      const { id } = await server.client.workspaces.create({ body })
      const variable = { key: 'secret', value: secret, category: 'terraform' as const, sensitive: true }
      await server.client.variables.create({ params: { id }, body: variable })
      return id
    }),
  )
  const pids = [agent.child.pid, server.child.pid]
  const cpuBefore = await cpuOf(pids)
  await Promise.all(
    workspaces.map(async (id) => {
      const task = await server.client.tasks.create({ params: { id }, body: { task_type: 'plan' } })
      await sealed(server, task.id, blocks * text.redactedBytes)
    }),
  )
  const endedAt = performance.timeOrigin + performance.now()
  const printings = await printer.take()
  if (printings.length !== tasks) throw new Error(`${printings.length} of ${tasks} printers left a note`)
  return {
    ms: endedAt - Math.min(...printings.map(({ from }) => from)),
    printingMs: printings.reduce((sum, { from, to }) => sum + to - from, 0),
    agentPeakKiB: (await usageOf(agent.child.pid)).peakRssKiB,
    serverPeakKiB: (await usageOf(server.child.pid)).peakRssKiB,
    cpuSeconds: (await cpuOf(pids)) - cpuBefore,
  }
}

/** Resolves when the task's log is complete. @throws Error unless it then has `totalBytes` */
async function sealed({ client }: RunningServer, id: number, totalBytes: number): Promise<void> {
  const look = async () => {
    const query = { phase: 'plan' as const, offset: totalBytes, limit: 1 }
    const { headers } = await client.tasks.logs({ params: { id }, query })
    return headers.get('x-log-state') !== 'uploading' && headers.get('x-log-state')
  }
  const state = await eventually(`the log of task ${id} is whole`, look, { timeoutMs: 170_000, everyMs: 20 })
  const { headers } = await client.tasks.logs({
    params: { id },
    query: { phase: 'plan', offset: totalBytes - 1, limit: 2 },
  })
  const length = Number(headers.get('x-next-offset'))
  if (state !== 'complete' || length !== totalBytes)
    throw new Error(`the log of task ${id} is ${state} with ${length} bytes of ${totalBytes}`)
}

async function cpuOf(pids: readonly number[]): Promise<number> {
  const usages = await Promise.all(pids.map(usageOf))
  return usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
}

/** What the minimum takes for these files, sent at once. */
export async function carryMinimum(directory: string, files: readonly string[]): Promise<CarriedBare> {
  const home = join(directory, 'sink')
  await mkdir(home)
  try {
    await using peer = await startPeer('log-sink', home)
    const pool = new Pool(peer.url, { connections: files.length })
    try {
      const pids = [process.pid, peer.pid]
      const cpuBefore = await cpuOf(pids)
      const ms = await timed(() =>
        Promise.all(files.map((file, index) => sendFile(file, `${peer.url}/${index}`, pool))),
      )
      return { ms, cpuSeconds: (await cpuOf(pids)) - cpuBefore }
    } finally {
      await pool.close()
    }
  } finally {
    await rm(home, { recursive: true })
  }
}
