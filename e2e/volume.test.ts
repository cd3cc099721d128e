import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
const MiB = 1024 * 1024
const secret = 'volume-secret-0123456789'
const lineCount = 100_000

beforeAll(async () => {
  rig = await Rig.start()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

it('carries 200 MB of output byte for byte after redaction, in bounded memory', { timeout: 300_000 }, async () => {
  const agent = await rig.addAgent()
  const workspace = await rig.workspace(`
    variable "secret" {}
    resource "terraform_data" "loud" {
      provisioner "local-exec" {
        command     = "awk -v s=$SECRET 'BEGIN { p = sprintf(\\"%2000s\\", \\"\\"); gsub(/ /, \\"x\\", p); for (i = 0; i < ${lineCount}; i++) printf \\"%06d %s %s\\\\n\\", i, i % 1000 ? p : s, p }'"
        environment = { SECRET = var.secret }
      }
    }`)
  await rig.setVariable(workspace, 'secret', secret, { sensitive: true })
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  await rig.confirm(id)
  const task = await rig.reached(id, 'applied', { timeoutMs: 240_000, everyMs: 200 })
  const peaks = { agentMiB: await peakMiB(agent.child.pid), serverMiB: await peakMiB(rig.server.child.pid) }

  const printed = await hashOfPrinted(id)
  expect(printed.sizeBytes).toBeGreaterThan(200_000_000)
  expect(printed.sha256).toBe(hashOfExpected())
  expect(task.apply_output_truncated).toBe(true)
  console.log('peak memory', peaks, 'bytes', printed.sizeBytes, 'seconds', task.duration)
  expect(peaks.agentMiB).toBeLessThan(150)
  expect(peaks.serverMiB).toBeLessThan(250)
})

const prefix = 'terraform_data.loud (local-exec): '

/** The lines that the provisioner printed, as the server has them, read in pieces. */
async function hashOfPrinted(id: number): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  let unfinished = ''
  for (let offset = 0; ; ) {
    const response = await rig.client.tasks.logs({ params: { id }, query: { phase: 'apply', offset, limit: 8 * MiB } })
    const lines = (unfinished + (await response.text())).split('\n')
    unfinished = lines.pop() ?? ''
    for (const line of lines) {
      if (!/\): \d{6} /.test(line)) continue
      hash.update(`${line}\n`)
      sizeBytes += line.length + 1
    }
    const next = Number(response.headers.get('x-next-offset'))
    if (next === offset) return { sha256: hash.digest('hex'), sizeBytes }
    offset = next
  }
}

function hashOfExpected(): string {
  const hash = createHash('sha256')
  const padding = 'x'.repeat(2000)
  for (let i = 0; i < lineCount; i++) {
    hash.update(`${prefix}${String(i).padStart(6, '0')} ${i % 1000 ? padding : '[redacted]'} ${padding}\n`)
  }
  return hash.digest('hex')
}

/** The most memory a process ever had, by the kernel's account. */
async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}
