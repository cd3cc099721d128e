/** One passage: an apply on one agent posts states of a size, and a plan on the other one waits for the last of them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OperatorClient } from '@iac-agent/client'
import { isFinal, type Task } from '@iac-agent/protocol'
import { eventually } from '@iac-agent/testkit'
import type { StateNote, StateOrder } from './order.js'

export interface Stations {
  readonly client: OperatorClient
  readonly poolId: string
  readonly directory: string
}

export interface Passage {
  readonly posts: readonly { readonly ms: number; readonly bareMs: number }[]
  /** From the last POST until the other agent had it on disk, checked, and its terraform began. */
  readonly endToEndMs: number
}

/** Of as many digits for each state there is. */
const firstSerial = 1000
const patience = { timeoutMs: 60_000, everyMs: 50 }
let passages = 0

export async function passState(
  { client, poolId, directory: parent }: Stations,
  { sizeBytes, states }: Pick<StateOrder, 'sizeBytes' | 'states'>,
): Promise<Passage> {
  const name = `passage-${++passages}`
  const directory = join(parent, name)
  await mkdir(directory)
  const order: StateOrder = { sizeBytes, states, firstSerial, directory }
  const body = { name, pool_id: poolId, auto_apply: true, tf_code: `# order: ${JSON.stringify(order)}\n` }
  const { id } = await client.workspaces.create({ body })
  const go = (serial: number) => writeFile(join(directory, `go-${serial}`), '')
  const arrived = async (serial: number) => {
    const { items } = await client.states.list({ params: { id } })
    return items.some((version) => version.serial === serial)
  }
  const apply = await client.tasks.create({ params: { id }, body: { task_type: 'plan_and_apply' } })
  const last = firstSerial + states - 1
  for (let serial = firstSerial; serial < last; serial++) {
    await go(serial)
    await eventually(`state ${serial} is stored`, () => arrived(serial), patience)
  }
  const applying = await eventually('the apply runs', async () => applyingOnly(await task(apply.id)), patience)
  const sender = { agent_id: applying.agent_id ?? '' }
  await client.agents.drain({ params: sender, body: { reason: 'the next task is for the other agent' } })
  const plan = await client.tasks.create({ params: { id }, body: { task_type: 'plan' } })
  await go(last)
  for (const one of [apply, plan])
    await eventually(`task ${one.id} is over`, async () => over(await task(one.id)), patience)
  await client.agents.undrain({ params: sender, body: {} })
  return passageOf(await notesIn(directory))

  function task(taskId: number): Promise<Task> {
    return client.tasks.get({ params: { id: taskId } })
  }
}

function applyingOnly(task: Task): Task | undefined {
  if (isFinal(task.status)) throw new Error(`task ${task.id} ended as ${task.status}: ${task.error_message}`)
  return task.status === 'running' && task.stage === 'applying' ? task : undefined
}

function over(task: Task): boolean {
  if (task.status === 'failed' || task.status === 'cancelled') throw new Error(`task ${task.id}: ${task.error_message}`)
  return isFinal(task.status)
}

/** The first plan got no state; the last one got what was posted last. */
function passageOf(notes: readonly StateNote[]): Passage {
  const posts = notes.filter((note) => note.kind === 'posted')
  const got = notes.findLast((note) => note.kind === 'got')
  const sent = posts.at(-1)
  if (got === undefined || sent === undefined) throw new Error('nothing was measured')
  return { posts: posts.map(({ ms, bareMs }) => ({ ms, bareMs })), endToEndMs: got.begunAt - sent.startedAt }
}

async function notesIn(directory: string): Promise<StateNote[]> {
  const text = await readFile(join(directory, 'notes.jsonl'), 'utf8')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as StateNote]))
}
