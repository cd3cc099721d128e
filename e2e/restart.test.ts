import { eventually } from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig

beforeAll(async () => {
  rig = await Rig.start()
  await rig.addAgent()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'loses nothing when the server is ended by %s in mid-apply and comes back',
  async (signal) => {
    const workspace = await rig.workspace(counting(6))
    const id = await rig.queue(workspace, 'plan_and_apply')
    await rig.reached(id, 'apply_pending')
    await rig.confirm(id)
    await eventually('the apply has begun', async () => (await rig.task(id)).apply_output?.includes('tick 1 of 6'))
    await rig.server.stop(signal)
    await rig.server.start()
    const task = await rig.reached(id, 'applied')
    expect(task.attempt).toBe(2)
    const log = await rig.log(id, 'apply')
    const ticks = log.match(/tick \d of 6$/gm)
    expect(ticks).toEqual([1, 2, 3, 4, 5, 6].map((n) => `tick ${n} of 6`))
    expect(await rig.addresses(workspace)).toEqual(['terraform_data.slow'])
    const response = await rig.client.tasks.logs({ params: { id }, query: { phase: 'apply' } })
    expect(response.headers.get('x-log-state')).toBe('complete')
  },
)

it('streams byte for byte the same to those who watch, those who come late and those who read the stored log', async () => {
  const workspace = await rig.workspace(counting(4))
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  const watched = rig.log(id, 'apply')
  await rig.confirm(id)
  await eventually('the apply has begun', async () => (await rig.task(id)).apply_output?.includes('tick 2 of 4'))
  const joined = rig.log(id, 'apply')
  await rig.reached(id, 'applied')
  const stored = await (await rig.client.tasks.logs({ params: { id }, query: { phase: 'apply' } })).text()
  expect(stored).toContain('tick 4 of 4')
  expect(await watched).toBe(stored)
  expect(await joined).toBe(stored)
  expect(await rig.log(id, 'apply')).toBe(stored)
})

it('stores the same log whether somebody watches or not', async () => {
  const [watched, unwatched] = await Promise.all([runLogged(true), runLogged(false)])
  expect(watched).toContain('tick 3 of 3')
  expect(withoutChance(watched)).toBe(withoutChance(unwatched))
})

/** The stored log of an apply. */
async function runLogged(isWatched: boolean): Promise<string> {
  const id = await rig.queue(await rig.workspace(counting(3)), 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  const stream = isWatched ? rig.log(id, 'apply') : undefined
  await rig.confirm(id)
  await rig.reached(id, 'applied')
  const stored = await (await rig.client.tasks.logs({ params: { id }, query: { phase: 'apply' } })).text()
  if (stream) expect(await stream).toBe(stored)
  return stored
}

/** Ids and durations are another run's. */
function withoutChance(log: string): string {
  return log.replace(/id=[0-9a-f-]+/g, 'id=…').replace(/after \d+s/g, 'after …s')
}

function counting(seconds: number): string {
  return `
    resource "terraform_data" "slow" {
      provisioner "local-exec" {
        command = "i=1; while [ $i -le ${seconds} ]; do echo tick $i of ${seconds}; sleep 1; i=$((i+1)); done"
      }
    }`
}
