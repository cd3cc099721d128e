import { access, mkdir, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, processesIn, startFakeServer, temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { findCgroup, makeCgroup } from '../../src/terraform/cgroup.js'
import { startDaemon } from '../_util/daemon.js'

it('two supervisors stand by, before and after tasks, and none when the agent has ended', async () => {
  await using home = await temporaryDirectory('standing')
  const standby = join(home.path, 'standby')
  const standing = () => processesIn(standby)
  await using server = await startFakeServer()
  {
    await using _daemon = await startDaemon({ server, dataDir: home.path, flags: { planLimit: '4' } })
    await eventually('two', async () => (await standing()).length === 2)
    const tasks = ['a', 'b', 'c', 'd'].map((name) =>
      server.addTask({ workspace: { workspace_id: `ws-${name}`, tf_code: { output: { x: { value: name } } } } }),
    )
    for (const task of tasks) server.offer(task)
    for (const task of tasks) await eventually('its end', () => task.finalStatus)
    expect(tasks.map(({ finalStatus }) => finalStatus?.status)).toEqual(['success', 'success', 'success', 'success'])
    await eventually('two again', async () => (await standing()).length === 2)
  }
  expect(await standing()).toEqual([])
  expect(await readdir(standby)).toEqual([])
})

it('takes another one where those that stood by were killed', async () => {
  await using home = await temporaryDirectory('standing')
  const standby = join(home.path, 'standby')
  await using server = await startFakeServer()
  await using _daemon = await startDaemon({ server, dataDir: home.path })
  const killed = await eventually('two', async () => {
    const pids = await processesIn(standby)
    return pids.length === 2 && pids
  })
  for (const pid of killed) process.kill(pid, 'SIGKILL')
  await eventually('their end', async () => !(await processesIn(standby)).some((pid) => killed.includes(pid)))
  const task = server.addTask({ workspace: { workspace_id: 'ws-a', tf_code: { output: { x: { value: 1 } } } } })
  server.offer(task)
  expect(await eventually('its end', () => task.finalStatus)).toMatchObject({ status: 'success' })
})

it('gives back the cgroup of one that stood by for a process that was killed', async () => {
  await using home = await temporaryDirectory('standing')
  const standby = join(home.path, 'standby')
  await mkdir(standby)
  const { path, link } = await makeCgroup((await findCgroup()) ?? home.path, standby)
  await using server = await startFakeServer()
  await using _daemon = await startDaemon({ server, dataDir: home.path })
  await server.message('heartbeat')
  await expect(access(path)).rejects.toThrow('ENOENT')
  await expect(readlink(link)).rejects.toThrow('ENOENT')
})
