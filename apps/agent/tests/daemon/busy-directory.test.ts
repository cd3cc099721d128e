import { join } from 'node:path'
import { eventually, startFakeServer, temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { attemptLayoutAt, workLayout } from '../../src/journal/layout.js'
import { claimWorkDirectory } from '../../src/terraform/work-directory.js'
import { startDaemon } from '../_util/daemon.js'

it('rejects a task whose work directory is held, and takes it once it is free', async () => {
  await using home = await temporaryDirectory('work')
  await using server = await startFakeServer()
  await using _daemon = await startDaemon({ server, flags: { workRoot: home.path } })
  await server.message('heartbeat')
  const holder = await claimWorkDirectory(workLayout(home.path, 'ws-1'), attemptLayoutAt(join(home.path, 'another')))
  const task = server.addTask({ workspace: { workspace_id: 'ws-1', tf_code: {} } })
  server.offer(task)
  expect(await server.message('task_rejected')).toEqual({ task_id: task.id, attempt: 1, reason: 'work_directory_busy' })
  await holder.release()
  server.offer(task)
  expect(await server.message('task_accepted')).toEqual({ task_id: task.id, attempt: 1 })
  await eventually('its end', () => task.finalStatus)
})
