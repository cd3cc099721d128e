import { join } from 'node:path'
import { ApiError, isFinal, type Task } from '@iac-agent/protocol'
import {
  fakeConfiguration,
  layOutFakeTerraform,
  type RunningAgent,
  readOracle,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Random } from '../chaos/random.js'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'
import { byLength, lasting } from './lengths.js'
import { recordStatusMoves, type StatusMoves } from './status-moves.js'

const instants = byLength({ short: 24, long: 200 })
const seed = process.env.IAC_E2E_SEED ?? Math.random().toString(36).slice(2, 8)
/** So long most tasks take: an instant is drawn from it. */
const lifeMs = 3_500
const kinds = ['real', 'polite', 'plan', 'hanging plan', 'hanging apply'] as const
type Kind = (typeof kinds)[number]

let rig: Rig
let home: TemporaryDirectory
let oracleFile: string
let moves: StatusMoves
const agents: RunningAgent[] = []

beforeAll(async () => {
  rig = await Rig.start({ args: ['--heartbeat-interval', '500ms'] })
  moves = recordStatusMoves(rig.server)
  home = await temporaryDirectory('fake-terraform')
  oracleFile = join(home.path, 'oracle.jsonl')
  const program = await layOutFakeTerraform(home.path, { oracleFile })
  for (let number = 0; number < 4; number++)
    agents.push(await rig.addAgent({ args: ['--terraform-path', program, '--cancel-grace', '500ms'] }))
})
afterAll(async () => {
  moves[Symbol.dispose]()
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

it('a cancel at any instant ends a task once, by one interrupt at most, and leaves nothing', {
  timeout: 900_000,
}, async () => {
  const random = new Random(seed)
  const draws = Array.from({ length: instants }, (_, number) => ({
    kind: kinds[number % kinds.length] ?? 'real',
    afterMs: random.unit() * lifeMs,
  }))
  const cancelledIn = new Map<string, number>()
  const count = (key: string) => cancelledIn.set(key, (cancelledIn.get(key) ?? 0) + 1)
  const drawn = draws.values()
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (const { kind, afterMs } of drawn) count(await cancelAfter(kind, afterMs))
    }),
  )
  console.info(`seed ${seed}; cancelled in: ${JSON.stringify(Object.fromEntries([...cancelledIn].sort()))}`)
  expect(cancelledIn.size).toBeGreaterThan(3)
  for (const agent of agents) await nothingLeft(agent)
})

/** Makes a task, asks for its end after a while, sees it end, and judges; answers the status and stage it was met in. */
async function cancelAfter(kind: Kind, afterMs: number): Promise<string> {
  const workspace = await rig.workspace(codeOf(kind), { auto_apply: true })
  const id = await rig.queue(workspace, kind === 'plan' || kind === 'hanging plan' ? 'plan' : 'plan_and_apply')
  await lasting(afterMs)
  const met = await rig.task(id)
  await cancel(id)
  if (kind === 'hanging apply') await insistOn(id)
  const task = await rig.taskWhen(id, 'over', ({ status }) => isFinal(status), { timeoutMs: 90_000 })
  const label = `seed ${seed}, ${kind}, task ${id}, cancelled after ${Math.round(afterMs)} ms`
  expect(['cancelled', 'applied', 'success'], label).toContain(task.status)
  expect(
    moves.of(id).filter((status) => isFinal(status as Task['status'])),
    label,
  ).toEqual([task.status])
  expect(await interrupts(task), label).toBeLessThanOrEqual(kind === 'hanging apply' ? 2 : 1)
  const { lock } = await rig.client.workspaces.get({ params: { id: workspace } })
  expect(lock, label).toBeNull()
  return isFinal(met.status) ? met.status : met.stage
}

/** An apply that does not end by its interrupt gets no other, however often the cancel is said; then a person insists. */
async function insistOn(id: number): Promise<void> {
  const interrupted = ({ status, cancel }: Task) => isFinal(status) || cancel?.rung === 'interrupt'
  const task = await rig.taskWhen(id, 'interrupted', interrupted)
  if (isFinal(task.status)) return
  for (let again = 0; again < 3; again++) await cancel(id)
  expect(await interrupts(task)).toBeLessThanOrEqual(1)
  await cancel(id, true)
}

/** One that ended meanwhile refuses it. */
async function cancel(id: number, force = false): Promise<void> {
  await rig.client.tasks.cancel({ params: { id }, body: { force } }).catch((err: unknown) => {
    if (!(err instanceof ApiError && err.code === 'illegal_transition')) throw err
  })
}

/** By the fake's own notes, and by what terraform said, of the task's attempt that had most. */
async function interrupts({ id, plan_output, apply_output }: Task): Promise<number> {
  const told = [plan_output, apply_output].map((text) => text?.match(/nterrupts? received/g)?.length ?? 0)
  const noted = (await readOracle(oracleFile)).filter(
    ({ kind, attempt }) => kind === 'interrupt' && attempt.startsWith(`${id}-`),
  )
  return Math.max(...told, noted.length)
}

function codeOf(kind: Kind): string {
  switch (kind) {
    case 'real':
      return `
        resource "terraform_data" "a" {
          provisioner "local-exec" { command = "sleep 0.5" }
        }
        resource "terraform_data" "b" {
          depends_on = [terraform_data.a]
          provisioner "local-exec" { command = "sleep 0.5" }
        }`
    case 'polite':
      return fakeConfiguration({ resources: 4, lines: 20, linePauseMs: 50 })
    case 'plan':
      return fakeConfiguration({ lines: 20, linePauseMs: 50 })
    case 'hanging plan':
      return fakeConfiguration({ stubborn: 'plan' })
    case 'hanging apply':
      return fakeConfiguration({ stubborn: 'apply' })
  }
}
