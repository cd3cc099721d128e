import { expect, it } from 'vitest'
import { listTasks } from '../../src/domain/tasks/list-tasks.js'
import { reportStatus } from '../../src/domain/tasks/report-status.js'
import { plannedTask, runningApply, runningPlan } from './running-attempts.js'
import { taskWorld } from './task-world.js'

const usage = { peak_rss_bytes: 5_000_000_000, cpu_ms: 1234 }

it('shows what each phase used, once its attempt has told', async () => {
  await using world = await taskWorld()
  const taskId = await runningApply(world)
  expect(await world.task(taskId)).toMatchObject({ plan_usage: null, apply_usage: null })
  await reportStatus(world, { caller: await world.caller(taskId, 2), taskId, report: { status: 'applied', usage } })
  expect(await world.task(taskId)).toMatchObject({ plan_usage: null, apply_usage: usage })
  expect((await listTasks(world, {})).items).toMatchObject([{ plan_usage: null, apply_usage: usage }])
})

it('keeps the half that was measured', async () => {
  await using world = await taskWorld()
  const taskId = await runningPlan(world)
  const half = { peak_rss_bytes: null, cpu_ms: 7 }
  const report = { status: 'failed', error_code: 'killed', usage: half } as const
  await reportStatus(world, { caller: await world.caller(taskId, 1), taskId, report })
  expect(await world.task(taskId)).toMatchObject({ plan_usage: half, apply_usage: null })
})

it('says nothing of a phase whose agent does not tell', async () => {
  await using world = await taskWorld()
  const taskId = await plannedTask(world)
  expect(await world.task(taskId)).toMatchObject({ status: 'apply_pending', plan_usage: null, apply_usage: null })
})
