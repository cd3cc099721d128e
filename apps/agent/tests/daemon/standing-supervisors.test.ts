import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, processesIn, startFakeServer, temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { startDaemon } from '../_util/daemon.js'

it('of attempts that wait for their data two supervisors stand by, and in the end none is left', async () => {
  await using home = await temporaryDirectory('standing')
  await using server = await startFakeServer()
  await using _daemon = await startDaemon({ server, dataDir: home.path, flags: { planLimit: '4' } })
  await server.message('heartbeat')
  server.fail({ match: /\/data/, times: 1_000, answer: 'cut' })
  const tasks = ['a', 'b', 'c', 'd'].map((name) =>
    server.addTask({ workspace: { workspace_id: `ws-${name}`, tf_code: { output: { x: { value: name } } } } }),
  )
  for (const task of tasks) server.offer(task)
  const asked = (id: number) => server.requests.filter((line) => line.includes(`/${id}/data`)).length
  await eventually('each to have asked again', () => tasks.every(({ id }) => asked(id) > 1))
  const standing = async () => (await leaders(join(home.path, 'attempts'))).length
  const standingMeanwhile = await standing()
  server.heal()
  for (const task of tasks) await eventually('its end', () => task.finalStatus)
  expect(standingMeanwhile).toBe(2)
  expect(tasks.map(({ finalStatus }) => finalStatus?.status)).toEqual(['success', 'success', 'success', 'success'])
  await eventually('nobody', async () => (await standing()) === 0)
})

/** Directories in which somebody works: a supervisor and its `cat` are in one. */
async function leaders(directory: string): Promise<string[]> {
  const places = await Promise.all(
    (await processesIn(directory)).map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')),
  )
  return [...new Set(places.filter(Boolean))]
}
