import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, startFakeServer, temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { startDaemon } from '../_util/daemon.js'

it('goes on with a run while the server is away, and delivers all of it afterwards', async () => {
  await using home = await temporaryDirectory('away')
  await using server = await startFakeServer()
  await using _daemon = await startDaemon({ server })
  await server.message('heartbeat')
  const gate = join(home.path, 'gate')
  const command = `echo before; until [ -e '${gate}' ]; do sleep 0.05; done; echo after; touch '${gate}.done'`
  const workspace = {
    workspace_id: 'ws-away',
    tf_code: {
      resource: { terraform_data: { slow: { provisioner: [{ 'local-exec': { command } }] }, quick: {} } },
    },
  }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace })
  server.offer(plan)
  await eventually('the plan', () => plan.finalStatus)
  const apply = server.addTask({ action: 'apply', workspace, ...(plan.plan ? { plan: plan.plan } : {}) })
  server.offer(apply)
  await eventually('terraform to wait', () => apply.log.includes('before\n'))

  server.fail({ match: /./, times: 1_000_000, answer: { status: 502, body: '<html>Bad Gateway</html>' } })
  server.dropSockets()
  const seenBefore = apply.log.length
  await writeFile(gate, '')
  await eventually('terraform to end by itself', async () => {
    const { access } = await import('node:fs/promises')
    return access(`${gate}.done`).then(
      () => true,
      () => false,
    )
  })
  expect(apply.log.length).toBe(seenBefore)
  server.heal()
  await eventually('the outcome', () => apply.finalStatus, { timeoutMs: 25_000 })
  expect(apply.finalStatus).toMatchObject({ status: 'applied', changes_add: 2 })
  expect(apply.log.toString()).toContain('after\n')
  expect(apply.seals).toEqual([expect.objectContaining({ total_bytes: apply.log.length })])
  expect(apply.states.length).toBeGreaterThan(0)
}, 40_000)
