import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Phase } from '@iac-agent/protocol'
import {
  createPoolAndKey,
  eventually,
  type PoolAndKey,
  type RunningAgent,
  repositoryRoot,
  startAgent,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { serverBin } from './kill-load.js'
import { nothingLeft } from './leftovers.js'

let home: TemporaryDirectory
let rig: Rig
beforeEach(async () => {
  home = await temporaryDirectory('restored')
  rig = await Rig.start({ args: ['--lease-ttl', '10s', '--heartbeat-interval', '1s'] })
})
afterEach(async () => {
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const backup = () => join(home.path, 'backup.sqlite')
const gate = (name: string) => join(home.path, name)

/** An apply that says a line, waits for its gate, and says another. */
const gated = (name: string) => `
  resource "terraform_data" "first" {}
  resource "terraform_data" "slow" {
    depends_on = [terraform_data.first]
    provisioner "local-exec" {
      command = "echo before ${name}; until [ -e '${gate(name)}' ]; do sleep 0.05; done; echo after ${name}"
    }
  }`

async function admin(...args: string[]): Promise<void> {
  await execa(serverBin[0], [serverBin[1], ...args, '--data-dir', rig.server.dataDir, '--json'])
}

async function restore(): Promise<void> {
  await rig.server.stop('SIGKILL')
  await admin('restore', backup())
  await rig.server.start()
}

async function applying(pool: PoolAndKey, name: string): Promise<{ id: number; workspace: string }> {
  const workspace = await rig.workspace(gated(name), { pool_id: pool.poolId })
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  await rig.confirm(id)
  await eventually(`${name} applies`, async () => (await rig.task(id)).apply_output?.includes(`before ${name}`))
  return { id, workspace }
}

async function stored(id: number, phase: Phase, attempt?: number) {
  const query = { phase, ...(attempt === undefined ? {} : { attempt }) }
  const response = await rig.client.tasks.logs({ params: { id }, query })
  return { log: await response.text(), state: response.headers.get('x-log-state') }
}

async function currentState(workspace: string): Promise<string> {
  return await (await rig.client.states.current({ params: { id: workspace } })).text()
}

async function statusOf({ dataDir }: RunningAgent): Promise<string> {
  const bin = join(repositoryRoot(), 'apps/agent/bin/iac-agent.js')
  return (await execa(process.execPath, [bin, 'status', '--data-dir', dataDir])).stdout
}

it('has from its agents again what a server restored from a backup lost, each task ending rightly', async () => {
  const [one, other] = [rig.pool, await createPoolAndKey(rig.client, 'other')]
  await using agent = await startAgent({ server: rig.server, key: one.key })
  await using busy = await startAgent({ server: rig.server, key: other.key })
  const waiting = await rig.workspace('resource "terraform_data" "late" {}')
  const lost = await rig.queue(waiting, 'plan_and_apply')
  await rig.reached(lost, 'apply_pending')
  const finishes = await applying(one, 'finishes')
  const goesOn = await applying(other, 'goes on')
  await admin('backup', backup())

  await writeFile(gate('finishes'), '')
  await rig.reached(finishes.id, 'applied')
  await rig.confirm(lost)
  await rig.reached(lost, 'applied')
  const unknown = await rig.queue(waiting, 'plan')
  await rig.reached(unknown, 'success')
  const before = {
    finished: await stored(finishes.id, 'apply'),
    finishedState: await currentState(finishes.workspace),
    lost: await stored(lost, 'apply'),
    lostState: await currentState(waiting),
    unknown: await stored(unknown, 'plan'),
  }
  await restore()

  // found running, finished meanwhile: its true end, its whole log, its state
  await rig.reached(finishes.id, 'applied')
  expect(await stored(finishes.id, 'apply')).toEqual({ log: before.finished.log, state: 'complete' })
  expect(await currentState(finishes.workspace)).toBe(before.finishedState)

  // found running, and still running: reachable again, and it goes on to its end
  await eventually('its agent is heard', async () => (await rig.task(goesOn.id)).unreachable_since === null)
  await writeFile(gate('goes on'), '')
  await rig.reached(goesOn.id, 'applied')
  const whole = await stored(goesOn.id, 'apply')
  expect([whole.state, whole.log.match(/(before|after) goes on$/gm)?.length]).toEqual(['complete', 2])

  // applied after the backup: nothing is lost, nothing counts by itself, a person is told
  const locked = await eventually('the workspace is locked', async () => {
    const { lock } = await rig.client.workspaces.get({ params: { id: waiting } })
    return lock?.owner === `lost_apply:${lost}` ? lock : undefined
  })
  expect(locked.reason).toContain('applied after the backup')
  await eventually('its log is whole', async () => (await stored(lost, 'apply', 2)).state === 'complete')
  expect(await stored(lost, 'apply', 2)).toEqual(before.lost)
  expect(await rig.task(lost)).toMatchObject({ status: 'apply_pending', confirmed_by: null })
  const rescued = await eventually('its state is rescued', async () => {
    const { items } = await rig.client.states.list({ params: { id: waiting } })
    return items.find(({ rescued, task_id }) => rescued && task_id === lost)
  })
  const content = await rig.client.states.content({ params: { id: rescued.id } })
  expect(await content.text()).toBe(before.lostState)
  await rig.client.states.promote({ params: { id: waiting, version_id: rescued.id } })
  await rig.client.workspaces.unlock({ params: { id: waiting } })
  await expect(rig.confirm(lost)).rejects.toMatchObject({ code: 'plan_stale' })
  await rig.client.tasks.discard({ params: { id: lost } })
  expect(await rig.addresses(waiting)).toEqual(['terraform_data.late'])

  // made after the backup: unknown, and kept
  await expect(rig.task(unknown)).rejects.toMatchObject({ code: 'not_found' })
  const said = await eventually('it is said', async () => {
    const status = await statusOf(agent)
    return status.includes('unknown to the server since its restore') ? status : undefined
  })
  expect(said).toContain(`attempt ${unknown}-1: unknown to the server since its restore`)
  expect(said).not.toContain('ALARM')
  const spool = join(agent.dataDir, 'attempts', `${unknown}-1`, 'spool')
  expect(await readFile(spool, 'utf8')).toBe(before.unknown.log)

  // nobody who knows the number of the lost one finds another task by it
  const again = await rig.queue(waiting, 'plan')
  expect(again).toBeGreaterThan(unknown)
  expect(await rig.reached(again, 'success')).toMatchObject({ attempt: 1_001 })
  expect((await stored(again, 'plan')).log).toContain('No changes.')
  expect(await readFile(spool, 'utf8')).toBe(before.unknown.log)
  await nothingLeft(busy)
})

it('hears from an agent that was killed while it sent again, and from one that comes late', async () => {
  const pool = await createPoolAndKey(rig.client, 'late')
  await using agent = await startAgent({ server: rig.server, key: pool.key })
  const { id, workspace } = await applying(pool, 'one')
  await admin('backup', backup())
  await writeFile(gate('one'), '')
  await rig.reached(id, 'applied')
  const before = [await stored(id, 'apply'), await currentState(workspace)]
  await nothingLeft(agent)
  expect(await agent.stop()).toMatchObject({ code: 0 })
  await restore()
  expect(await rig.task(id)).toMatchObject({ status: 'running', unreachable_since: expect.any(String) })
  const dying = agent.start({ env: { IAC_CRASH_POINT: 'resend.recorded' } }).catch(() => undefined)
  await eventually('it is killed', async () => {
    await dying
    return (await agent.child.exited).signal === 'SIGKILL'
  })
  await agent.start()
  await rig.reached(id, 'applied')
  expect([await stored(id, 'apply'), await currentState(workspace)]).toEqual(before)
  await nothingLeft(agent)
})

it('ends a log as gap when nobody can fill it again, and starts no apply twice', async () => {
  const pool = await createPoolAndKey(rig.client, 'gone')
  await using agent = await startAgent({
    server: rig.server,
    key: pool.key,
    name: 'gone',
    args: ['--keep-attempts', '0'],
  })
  const { id, workspace } = await applying(pool, 'two')
  await admin('backup', backup())
  await writeFile(gate('two'), '')
  await rig.reached(id, 'applied')
  await eventually('nothing is kept', async () => !(await exists(join(agent.dataDir, 'attempts', `${id}-2`))))
  await restore()
  await eventually('the agent gave it up', async () => (await statusOf(agent)).includes('another process started it'))
  const task = await eventually(
    'it is unreachable',
    async () => {
      const found = await rig.task(id)
      return found.unreachable_since === null ? undefined : found
    },
    { timeoutMs: 40_000 },
  )
  expect(task.status).toBe('running')
  await rig.client.tasks.declareLost({ params: { id }, body: { agent_name: 'gone' } })
  expect(await rig.task(id)).toMatchObject({ status: 'failed', error_code: 'lost' })
  const { log, state } = await stored(id, 'apply')
  expect([state, log.match(/before two$/gm)?.length, /: after two$/m.test(log)]).toEqual(['gap', 1, false])
  const { lock } = await rig.client.workspaces.get({ params: { id: workspace } })
  expect(lock?.owner).toBe(`lost_apply:${id}`)
})

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false, // the question is whether it is there
  )
}
