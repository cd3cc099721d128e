import { lstat, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, type FakeTask, startFakeServer, temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { startDaemon } from '../_util/daemon.js'

const finalStatus = (task: FakeTask) => eventually(`end of task ${task.id}`, () => task.finalStatus)

/** Files below that others than the owner may read, and directories they may enter. */
async function openToOthers(directory: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isSymbolicLink() && ((await lstat(path)).mode & 0o077) !== 0) found.push(path.slice(directory.length))
  }
  return found
}

it('lets nobody else read what it keeps, while terraform applies', async () => {
  await using home = await temporaryDirectory('private')
  const gate = join(home.path, 'gate')
  const tf_code = {
    resource: {
      terraform_data: {
        slow: { input: 'a', provisioner: { 'local-exec': { command: `until [ -e '${gate}' ]; do sleep 0.05; done` } } },
      },
    },
  }
  await using server = await startFakeServer()
  await using daemon = await startDaemon({ server })
  await server.message('heartbeat')
  const workspace = { workspace_id: 'ws-p', tf_code }
  const variables = [{ key: 'x', value: 'y', category: 'terraform' as const, sensitive: true, hcl: false }]
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace, variables })
  server.offer(plan)
  expect(await finalStatus(plan)).toMatchObject({ status: 'success' })
  const apply = server.addTask({ action: 'apply', workspace, variables, ...(plan.plan ? { plan: plan.plan } : {}) })
  server.offer(apply)
  await eventually('the apply to run', () => apply.log.includes('Provisioning with'))
  const inside = await openToOthers(daemon.data.root)
  await writeFile(gate, '')
  expect(await finalStatus(apply)).toMatchObject({ status: 'applied' })
  expect(inside.filter((path) => !path.startsWith('/work/ws-p/.terraform'))).toEqual([])
  expect((await lstat(join(daemon.data.root, 'work/ws-p'))).mode & 0o777).toBe(0o700)
})
