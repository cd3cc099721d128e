import type { Task } from '@iac-agent/protocol'
import {
  createPoolAndKey,
  eventually,
  fakeConfiguration,
  layOutFakeTerraform,
  startAgent,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { agentCrashPointNames } from './crash-point-names.js'
import { nothingLeft } from './leftovers.js'

const { supervisor: points } = await agentCrashPointNames()

type End = Pick<Task, 'status' | 'error_code'> & { error_message: unknown }

const notStarted: End = {
  status: 'failed',
  error_code: 'agent_fault',
  error_message: expect.stringMatching(/^terraform (plan|apply) was not started on the agent's host\.$/),
}
const unknown = (told: string): End => ({
  status: 'failed',
  error_code: 'agent_fault',
  error_message: expect.stringContaining(`was killed, so its exit code is unknown; ${told}`),
})
const killed: End = {
  status: 'failed',
  error_code: 'killed',
  error_message: expect.stringContaining('was killed by SIGKILL, which this agent did not send'),
}
const completed = unknown('its output says that it completed: 2 added, 0 changed, 0 destroyed.')

/** What becomes of an apply whose supervisor is killed there. A command that ran is never run again. */
const applies: Record<string, End> = {
  'supervisor.begun': notStarted,
  'supervisor.claimed': notStarted,
  'supervisor.starting': notStarted,
  'supervisor.named': killed,
  'supervisor.orphaned': completed,
  'supervisor.ended': completed,
  'supervisor.exited': { status: 'applied', error_code: null, error_message: null },
  'supervisor.sweeping': { status: 'applied', error_code: null, error_message: null },
}
const plans: Record<string, End> = {
  'supervisor.claimed': notStarted,
  'supervisor.named': killed,
  'supervisor.ended': unknown('how it ended is told by its log at best.'),
  'supervisor.exited': { status: 'success', error_code: null, error_message: null },
}

let rig: Rig

beforeAll(async () => {
  rig = await Rig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

it('says of every point what an apply comes to', () => {
  expect(Object.keys(applies)).toEqual(points)
})

describe.concurrent('the supervisor of terraform that is killed', () => {
  it.each(Object.entries(applies))('at %s of an apply: one end, nobody left, everything told', async (point, end) => {
    await run('plan_and_apply', 'apply', point, end)
  })

  it.each(Object.entries(plans))('at %s of a plan: one end, nobody left, everything told', async (point, end) => {
    await run('plan', 'plan', point, end)
  })

  it.each(['supervisor.orphaned', 'supervisor.ended', 'supervisor.exited'])(
    'at %s of an apply whose agent was killed too',
    async (point) => {
      await run('plan_and_apply', 'apply', point, applies[point] as End, { isAgentKilled: true })
    },
  )

  it('leaves an orphan that can still be cancelled: interrupted once, then killed and swept', async () => {
    await using home = await temporaryDirectory('stubborn')
    const terraform = await layOutFakeTerraform(home.path)
    const pool = await createPoolAndKey(rig.client, 'cancelled')
    const args = ['--terraform-path', terraform, '--cancel-grace', '300ms']
    const env = { IAC_CRASH_POINT: 'supervisor.orphaned@plan' }
    await using agent = await startAgent({ server: rig.server, key: pool.key, args, env })
    const id = await rig.queue(
      await rig.workspace(fakeConfiguration({ stubborn: 'plan' }), { pool_id: pool.poolId }),
      'plan',
    )
    await eventually('terraform hangs', async () => (await rig.task(id)).plan_output?.includes('hangs'))
    await rig.client.tasks.cancel({ params: { id } })
    const { plan_output } = await rig.reached(id, 'cancelled')
    expect(plan_output?.match(/^.*received/gm)).toEqual(['Interrupt received'])
    await nothingLeft(agent)
  })
})

async function run(
  task_type: 'plan' | 'plan_and_apply',
  phase: 'plan' | 'apply',
  point: string,
  end: End,
  { isAgentKilled = false } = {},
): Promise<void> {
  const pool = await createPoolAndKey(rig.client, `${phase}-${point}-${isAgentKilled}`)
  const env = { IAC_CRASH_POINT: `${point}@${phase}` }
  await using agent = await startAgent({ server: rig.server, key: pool.key, env })
  const workspace = await rig.workspace(tree, { pool_id: pool.poolId, auto_apply: true })
  const id = await rig.queue(workspace, task_type)
  if (isAgentKilled) {
    await eventually('the apply is on', async () => (await rig.task(id)).apply_output?.includes('first tick'))
    await agent.stop('SIGKILL')
    await agent.start({ env: {} })
  }
  const task = await rig.taskWhen(id, 'over', ({ completed_at }) => completed_at !== null)
  expect(task).toMatchObject(end)
  await nothingLeft(agent)
  await sealed(id, phase)
  expect((await rig.client.workspaces.get({ params: { id: workspace } })).lock).toBeNull()
  const hasRun = phase === 'apply' && (end === completed || end.status === 'applied')
  expect(task.apply_output?.match(/(first|last) tick$/gm)?.length ?? 0).toBe(hasRun ? 2 : 0)
  if (hasRun) expect(await rig.addresses(workspace)).toEqual(['terraform_data.a', 'terraform_data.b'])
}

async function sealed(id: number, phase: 'plan' | 'apply'): Promise<void> {
  const response = await rig.client.tasks.logs({ params: { id }, query: { phase } })
  await response.text()
  expect(response.headers.get('x-log-state')).toBe('complete')
}

/** Leaves a process in the group behind, which somebody has to sweep. */
const tree = `
  resource "terraform_data" "a" {
    provisioner "local-exec" { command = "sleep 1000 >/dev/null 2>&1 & echo first tick" }
  }
  resource "terraform_data" "b" {
    depends_on = [terraform_data.a]
    provisioner "local-exec" { command = "sleep 1; echo last tick" }
  }`
