import { mkdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, type FakeServer, type FakeTask, runCommandIdentity, startFakeServer } from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startDaemon, type TestDaemon } from '../_util/daemon.js'

let server: FakeServer
let daemon: TestDaemon
beforeAll(async () => {
  server = await startFakeServer()
  daemon = await startDaemon({ server })
  await server.message('heartbeat')
})
afterAll(async () => {
  await daemon[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const finalStatus = (task: FakeTask) => eventually(`end of task ${task.id}`, () => task.finalStatus)

it('a killed terraform tells no secret with what it created', async () => {
  const { apply, kill } = await applying()
  await kill('terraform')
  const end = await finalStatus(apply)
  expect(end).toMatchObject({ status: 'failed', error_code: 'killed' })
  expect(end.error_message).toContain('2 resources were created but are not in the state; 1 resource was being created')
  expect(apply.unrecorded).toMatchObject({ created: 2, may_exist: 1 })
  const items = apply.unrecorded?.items ?? []
  expect(items.find(({ note }) => note?.includes('sensitive'))).toMatchObject({
    address: 'terraform_data.each["[redacted]"]',
    id: null,
    certainty: 'created',
  })
  expect(items.find(({ address }) => address === 'terraform_data.each["b"]')?.id).toMatch(/^[0-9a-f-]{36}$/)
  expect(JSON.stringify(items)).not.toContain('hunter2')
})

it('a terraform that was killed with its supervisor is compared all the same', async () => {
  const { apply, kill } = await applying()
  await kill('group')
  const end = await finalStatus(apply)
  expect(end).toMatchObject({ status: 'failed', error_code: 'agent_fault' })
  expect(end.error_message).toMatch(
    /, so its exit code is unknown; .*2 resources were created but are not in the state/,
  )
  expect(apply.unrecorded).toMatchObject({ created: 2, may_exist: 1 })
})

it('a task ends, and says so, when nobody can find out what is missing', async () => {
  const { apply, attempt, kill } = await applying()
  await mkdir(join(attempt, 'unrecorded.json'))
  await kill('terraform')
  const end = await finalStatus(apply)
  expect(end).toMatchObject({ status: 'failed' })
  expect(end.error_message).toContain('Whether its state has all it created could not be found out.')
  expect(apply.unrecorded).toBeUndefined()
})

/** An apply with two resources done and one that goes on for ever. `kill` ends terraform, or with it its supervisor and what both started. */
async function applying() {
  const slow = { depends_on: ['terraform_data.each'], provisioner: { 'local-exec': { command: 'sleep 600' } } }
  const each = { for_each: `$${'{toset(["hunter2hunter2", "b"])}'}` }
  const tf_code = { resource: { terraform_data: { each, slow } } }
  const workspace = { workspace_id: `ws-${++workspaces}`, tf_code }
  const secret = { key: 'x', value: 'hunter2hunter2', category: 'environment' as const, sensitive: true, hcl: false }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace, variables: [secret] })
  server.offer(plan)
  expect(await finalStatus(plan)).toMatchObject({ status: 'success' })
  const apply = server.addTask({
    action: 'apply',
    taskType: 'plan_and_apply',
    workspace,
    variables: [secret],
    ...(plan.plan ? { plan: plan.plan } : {}),
  })
  server.offer(apply)
  await eventually('the slow resource has begun', () => apply.log.includes('Executing'))
  const attempt = join(daemon.data.attempts, `${apply.id}-${apply.attempt}`)
  const kill = async (what: 'terraform' | 'group') => {
    const run = join(attempt, 'run/apply-1')
    const identity = what === 'group' ? await readlink(join(run, 'claim')) : await runCommandIdentity(run)
    const pid = Number(identity?.split(':')[0])
    process.kill(what === 'group' ? -pid : pid, 'SIGKILL')
  }
  return { apply, attempt, kill }
}
let workspaces = 0
