/** The main job, watched: a workspace is planned, confirmed and applied by an agent, and terraform's lines are shown as they come. */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OperatorClient } from '@iac-agent/client'
import { isFinal, type Task } from '@iac-agent/protocol'
import {
  createPoolAndKey,
  eventually,
  packTree,
  type RunningAgent,
  type RunningServer,
  repositoryRoot,
  startAgent,
  startServer,
} from '@iac-agent/testkit'
import { say } from './say.js'
import { printNextSteps, printSummary } from './summary.js'
import { type SeenLine, watchPhase } from './watch-phase.js'

/** `keep` leaves server and agent running. The signal ends the demo with its reason. */
export interface DemoOptions {
  keep: boolean
  signal: AbortSignal
}

/** The slow resource of the example takes 5 s: its first line must be here well before terraform ends. */
const leadMs = 3_000

/** @throws Error with a sentence about what did not go as it should; then nothing is left running, `keep` or not */
export async function runDemo({ keep, signal }: DemoOptions): Promise<void> {
  const home = keep ? await mkdtemp(join(tmpdir(), 'iac-demo-')) : undefined
  await using running = new Running()
  const server = running.add(await startServer(await homeFor('server', home)))
  say.step('server', `ready at ${server.url}`)
  const { poolId, key } = await createPoolAndKey(server.client, 'demo')
  const agent = running.add(await startAgent({ server, key, name: 'demo-agent', ...(await homeFor('agent', home)) }))
  say.step('agent', `${agent.agentId} connected`)

  const task = await planAndApply(server.client, poolId, signal)
  await printSummary(server.client, task)
  if (home) {
    running.leave()
    await printNextSteps(server, agent, home)
  }
}

/** A kept demo has a directory for each program; else each makes and removes its own. */
async function homeFor(program: string, demoHome: string | undefined): Promise<{ home?: string }> {
  if (!demoHome) return {}
  const home = join(demoHome, program)
  await mkdir(home, { mode: 0o700 })
  return { home }
}

async function planAndApply(client: OperatorClient, poolId: string, signal: AbortSignal): Promise<Task> {
  const workspace = await client.workspaces.create({ body: { name: 'demo', pool_id: poolId } })
  const params = { id: workspace.id }
  const tree = await packTree(join(repositoryRoot(), 'examples/workspace'))
  await client.workspaces.putConfiguration({ params, body: tree })
  const greeting = { key: 'greeting', value: 'not-for-the-log', category: 'terraform', sensitive: true } as const
  await client.variables.create({ params, body: greeting })
  say.step('workspace', `${workspace.name}: examples/workspace uploaded (${tree.length} bytes)`)

  const { id } = await client.tasks.create({ params, body: { task_type: 'plan_and_apply', description: 'demo' } })
  say.step('task', `${id} queued`)
  await watchPhase(client, id, 'plan', signal)
  const planned = await waitFor(client, id, 'apply_pending', signal)
  say.step(
    'plan',
    `${planned.changes_add} to add, ${planned.changes_change} to change, ${planned.changes_destroy} to destroy`,
  )

  await client.tasks.confirm({ params: { id }, body: { description: 'looks right' } })
  say.step('confirmed', 'the apply may start')
  const lines = await watchPhase(client, id, 'apply', signal)
  const applied = await waitFor(client, id, 'applied', signal)
  checkIsLive(lines)
  return applied
}

/** The task once it has this status; throws when it ends otherwise. */
async function waitFor(client: OperatorClient, id: number, status: Task['status'], signal: AbortSignal): Promise<Task> {
  return eventually(`task ${id} is ${status}`, async () => {
    const task = await client.tasks.get({ params: { id } })
    if (task.status === status) return { task }
    const isOver = isFinal(task.status) || signal.aborted
    return isOver ? { fault: `task ${id} is ${task.status}: ${task.error_message ?? 'no message'}` } : undefined
  }).then((found) => {
    signal.throwIfAborted()
    if (found.task) return found.task
    throw new Error(found.fault)
  })
}

function checkIsLive(lines: SeenLine[]): void {
  const first = lines.find(({ text }) => text.includes('Creating...'))
  const last = lines.find(({ text }) => text.includes('Apply complete!'))
  if (!first || !last) throw new Error("the apply's log lacks its first or last line")
  const lead = last.atMs - first.atMs
  if (lead < leadMs) throw new Error(`the first apply line came only ${Math.round(lead)} ms before terraform ended`)
  say.success(`the first apply line was here ${(lead / 1000).toFixed(1)} s before terraform ended`)
}

/** What the demo ends when it ends, last started first, unless it is told to leave it. */
class Running implements AsyncDisposable {
  readonly #parts: (RunningServer | RunningAgent)[] = []

  add<Part extends RunningServer | RunningAgent>(part: Part): Part {
    this.#parts.unshift(part)
    return part
  }

  leave(): void {
    for (const { child } of this.#parts.splice(0)) child.leave()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts.splice(0)) await part[Symbol.asyncDispose]()
  }
}
