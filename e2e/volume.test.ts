import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
const MiB = 1024 * 1024
const secret = 'volume-secret-0123456789'
const errors = 100
const linesEach = 1000
const padding = 'x'.repeat(2000)

/**
 * Terraform's local-exec copies about 1 MB a second, so it is its error messages that print 200 MB: a precondition that fails 100 times,
 * 1,000 indented (and so unwrapped) lines each.
 */
const loud = `
  variable "secret" {}
  locals { padding = join("", [for i in range(200): "xxxxxxxxxx"]) }
  resource "terraform_data" "loud" {
    count = ${errors}
    lifecycle {
      precondition {
        condition     = length(local.padding) == 1
        error_message = "Loud.\\n\${join("\\n", [for i in range(${linesEach}): "  @\${count.index} \${i} \${i % 100 == 0 ? var.secret : "-"} \${local.padding}"])}"
      }
    }
  }`

beforeAll(async () => {
  rig = await Rig.start()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

it('carries 200 MB of output byte for byte after redaction, in bounded memory', { timeout: 300_000 }, async () => {
  const agent = await rig.addAgent()
  const workspace = await rig.workspace(loud)
  await rig.setVariable(workspace, 'secret', secret, { sensitive: true })
  const id = await rig.queue(workspace, 'plan')
  const task = await rig.reached(id, 'failed', { timeoutMs: 240_000, everyMs: 200 })
  const peaks = { agentMiB: await peakMiB(agent.child.pid), serverMiB: await peakMiB(rig.server.child.pid) }
  expect(task).toMatchObject({ error_code: 'plan_failed', plan_output_truncated: true })

  const printed = await readPrinted(id)
  console.log('200 MB of output:', { ...peaks, ...printed, seconds: task.duration })
  expect(printed).toMatchObject({ lines: errors * linesEach, strange: [], logState: 'complete' })
  expect(printed.sizeBytes).toBeGreaterThan(200_000_000)
  expect(peaks.agentMiB).toBeLessThan(150)
  expect(peaks.serverMiB).toBeLessThan(250)
})

/** Reads the stored log in pieces and compares each of our lines with what terraform was made to print; blocks come in any order. */
async function readPrinted(id: number) {
  const seen = { lines: 0, sizeBytes: 0, strange: [] as string[], logState: '' }
  const next = new Map<number, number>()
  let unfinished = ''
  for (let offset = 0; ; ) {
    const response = await rig.client.tasks.logs({ params: { id }, query: { phase: 'plan', offset, limit: 8 * MiB } })
    const lines = (unfinished + (await response.text())).split('\n')
    unfinished = lines.pop() ?? ''
    for (const line of lines.filter((one) => one.startsWith('  @'))) {
      const block = Number(/^ {2}@(\d+)/.exec(line)?.[1])
      const number = next.get(block) ?? 0
      next.set(block, number + 1)
      if (line !== `  @${block} ${number} ${number % 100 === 0 ? '[redacted]' : '-'} ${padding}`)
        seen.strange.push(line)
      seen.lines++
    }
    const nextOffset = Number(response.headers.get('x-next-offset'))
    seen.sizeBytes = nextOffset
    seen.logState = response.headers.get('x-log-state') ?? ''
    if (nextOffset === offset) return seen
    offset = nextOffset
  }
}

/** The most memory a process ever had, by the kernel's account. */
async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024)
}
