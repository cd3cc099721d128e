/** An apply that prints a numbered line a second: what is missing, doubled or out of order is seen at once. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunningAgent } from '@iac-agent/testkit'
import { expect } from 'vitest'
import type { Rig } from '../rig.js'
import type { LoneAgent } from './lone-agent.js'

export interface TickingApply {
  id: number
  workspace: string
  /** directory of terraform's run facts (claim, pid, exit) */
  run: string
}

/** `first`, then `slow`, which ticks for so many seconds and then does `after`. */
export function counting(seconds: number, after = ''): string {
  const loop = `i=1; while [ $i -le ${seconds} ]; do echo tick $i of ${seconds}; sleep 1; i=$((i+1)); done${after}`
  return `
    resource "terraform_data" "first" {}
    resource "terraform_data" "slow" {
      depends_on = [terraform_data.first]
      provisioner "local-exec" { command = "${loop}" }
    }`
}

/** An apply whose second tick is stored by the server. */
export async function applying(on: Rig, agent: LoneAgent, code: string): Promise<TickingApply> {
  const workspace = await on.workspace(code, { pool_id: agent.poolId, auto_apply: true })
  const id = await on.queue(workspace, 'plan_and_apply')
  await on.taskWhen(id, 'ticking', ({ apply_output }) => apply_output?.includes('tick 2 of') === true)
  return { id, workspace, run: join(agent.dataDir, 'attempts', `${id}-2`, 'run', 'apply-1') }
}

/** The stored log is complete, with each tick once, of the one apply attempt. */
export async function expectWhole(on: Rig, id: number, ticks: number): Promise<void> {
  const response = await on.client.tasks.logs({ params: { id }, query: { phase: 'apply' } })
  expect(response.headers.get('x-log-state')).toBe('complete')
  const numbers = Array.from({ length: ticks }, (_, index) => `tick ${index + 1} of ${ticks}`)
  expect((await response.text()).match(/(?<=\(local-exec\): )tick \d+ of \d+$/gm)).toEqual(numbers)
  expect((await on.task(id)).attempt).toBe(2)
}

/** What terraform has written so far, whether anybody reads it or not. */
export async function outputOf(agent: RunningAgent): Promise<string> {
  return await readFile(join(await applyDirectory(agent), 'output'), 'utf8')
}

/** Of the loopback state backend. */
export async function backendPort(agent: RunningAgent): Promise<number> {
  const journal = await readFile(join(await applyDirectory(agent), 'journal.jsonl'), 'utf8')
  const ports = [...journal.matchAll(/"fact":"backendOpened","port":(\d+)/g)].map(([, port]) => Number(port))
  expect(ports).toHaveLength(1)
  return ports[0] ?? 0
}

async function applyDirectory({ dataDir }: RunningAgent): Promise<string> {
  const [attempt = ''] = (await readdir(join(dataDir, 'attempts'))).filter((name) => name.endsWith('-2'))
  return join(dataDir, 'attempts', attempt)
}
