import { limits, type UnrecordedReport } from '@iac-agent/protocol'
import { expect, it } from 'vitest'
import { unrecordedResources } from '../../src/domain/plans/unrecorded-resources.js'
import { listTasks } from '../../src/domain/tasks/list-tasks.js'
import { getTask } from '../../src/domain/tasks/task-view.js'
import { type AttemptServer, attemptServer } from './attempt-server.js'

const json = { 'content-type': 'application/json' }
const vpc = { address: 'a.vpc["x"]', id: 'vpc-"1"', certainty: 'created', note: null } as const
const db = { address: 'a.db', id: null, certainty: 'may_exist', note: 'look for it' } as const
const report: UnrecordedReport = { created: 1, may_exist: 1, items: [vpc, db] }

const put = (send: Awaited<ReturnType<AttemptServer['attempt']>>, body: object) =>
  send('PUT', 'unrecorded-resources', JSON.stringify(body), json)
const stored = ({ task }: AttemptServer) => unrecordedResources(task.deps, task.taskId)
const countsOf = async ({ task }: AttemptServer) => {
  const one = await getTask(task.deps, { taskId: task.taskId })
  const [same] = (await listTasks(task.deps, {})).items
  expect(same?.unrecorded_resources).toEqual(one.unrecorded_resources)
  return one.unrecorded_resources
}

it('gives operators what an agent listed, with import blocks for what has an id', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('apply')
  expect(await stored(server)).toEqual({ created: 0, may_exist: 0, items: [] })
  expect(await countsOf(server)).toBeNull()
  for (let time = 0; time < 2; time++) {
    expect(await put(send, report)).toMatchObject({ status: 200, json: { saved: 2 } })
    expect(await stored(server)).toEqual({
      created: 1,
      may_exist: 1,
      items: [
        { ...vpc, import_block: 'import {\n  to = a.vpc["x"]\n  id = "vpc-\\"1\\""\n}\n' },
        { ...db, import_block: null },
      ],
    })
  }
  expect(await countsOf(server)).toEqual({ created: 1, may_exist: 1 })
})

it('takes the list of an attempt that is over as late data: what it created is there', async () => {
  await using server = await attemptServer()
  const stale = await server.attempt('apply')
  await server.task.end()
  expect((await put(stale, { ...report, created: 7 })).json).toEqual({ saved: 2, late: true })
  expect(await countsOf(server)).toEqual({ created: 7, may_exist: 1 })
})

it('refuses a list beyond its bound, and names a task that does not exist', async () => {
  await using server = await attemptServer()
  const send = await server.attempt('apply')
  const items = Array.from({ length: limits.unrecordedResources + 1 }, () => vpc)
  expect((await put(send, { ...report, items })).status).toBe(400)
  expect(await countsOf(server)).toBeNull()
  await expect(unrecordedResources(server.task.deps, 4711)).rejects.toMatchObject({ code: 'not_found' })
})
