import { isFinal, type Task } from '@iac-agent/protocol'
import { fakeConfiguration, type RunningAgent } from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Random } from '../chaos/random.js'
import { CancelRig } from './cancel-rig.js'
import { nothingLeft } from './leftovers.js'
import { byLength, lasting } from './lengths.js'

const instants = byLength({ short: 24, long: 200 })
const seed = process.env.IAC_E2E_SEED ?? Math.random().toString(36).slice(2, 8)
/** So long most tasks take: an instant is drawn from it. */
const lifeMs = 3_500
const kinds = ['real', 'polite', 'plan', 'hanging plan', 'hanging apply'] as const
type Kind = (typeof kinds)[number]

let bench: CancelRig
const agents: RunningAgent[] = []

beforeAll(async () => {
  bench = await CancelRig.start()
  for (let number = 0; number < 4; number++) agents.push(await bench.rig.addAgent({ args: bench.agentArgs }))
})
afterAll(async () => await bench[Symbol.asyncDispose]())

it('a cancel at any instant ends a task once, by one interrupt at most, and leaves nothing', {
  timeout: 900_000,
}, async () => {
  const random = new Random(seed)
  const draws = Array.from({ length: instants }, (_, number) => ({
    kind: kinds[number % kinds.length] ?? 'real',
    afterMs: random.unit() * lifeMs,
  })).values()
  const metIn = new Map<string, number>()
  const worker = async () => {
    for (const { kind, afterMs } of draws) {
      const met = await cancelAfter(kind, afterMs)
      metIn.set(met, (metIn.get(met) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  console.info(`seed ${seed}; cancelled in: ${JSON.stringify(Object.fromEntries([...metIn].sort()))}`)
  expect(metIn.size).toBeGreaterThan(3)
  for (const agent of agents) await nothingLeft(agent)
})

/** Makes a task, asks for its end after a while, sees it end, and judges; answers the status or stage it was met in. */
async function cancelAfter(kind: Kind, afterMs: number): Promise<string> {
  const workspace = await bench.rig.workspace(codeOf(kind), { auto_apply: true })
  const id = await bench.rig.queue(workspace, kind === 'plan' || kind === 'hanging plan' ? 'plan' : 'plan_and_apply')
  await lasting(afterMs)
  const met = await bench.rig.task(id)
  await bench.cancel(id)
  const isForced = kind === 'hanging apply' && (await insistOn(id))
  const label = `seed ${seed}, ${kind}, task ${id}, cancelled after ${Math.round(afterMs)} ms`
  const task = await bench.ended(id, label)
  expect(await bench.interrupts(task), label).toBeLessThanOrEqual(isForced ? 2 : 1)
  return isFinal(met.status) ? met.status : met.stage
}

/** An apply that does not end by its interrupt gets no other, however often the cancel is said; then a person insists. */
async function insistOn(id: number): Promise<boolean> {
  const interrupted = ({ status, cancel }: Task) => isFinal(status) || cancel?.rung === 'interrupt'
  const task = await bench.rig.taskWhen(id, 'interrupted', interrupted)
  if (isFinal(task.status)) return false
  for (let again = 0; again < 3; again++) await bench.cancel(id)
  expect(await bench.interrupts(await bench.rig.task(id))).toBeLessThanOrEqual(1)
  await bench.cancel(id, true)
  return true
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
