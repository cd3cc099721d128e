/** One idle agent and one task at a time: when run_task comes, and when terraform begins. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { isFinal, type RunTask } from '@iac-agent/protocol'
import { eventually, startAgent } from '@iac-agent/testkit'
import type { FleetServer } from '../measure/open-fleet.js'
import { makeWorkspaces } from '../measure/plan-tasks.js'
import { SimulatedFleet } from '../measure/simulated-fleet.js'
import { layOutTimedTerraform } from '../measure/timed-terraform.js'
import { Undertakings } from '../measure/undertakings.js'
import { epochOf, stampOf } from './moments.js'

const tasks = 120
/** The first ones meet cold caches and code that was never run. */
const warmUps = 10
const spawnTasks = 40
/** After a task the agent still tidies up; then it is idle. */
const idleMs = 200

/** Milliseconds from each task's row to its run_task, on a simulated agent. */
export async function receiptsOfIdleAgent({ server, pool }: FleetServer): Promise<number[]> {
  let received: (receipt: { task: RunTask; at: number }) => void = () => {}
  const ends = new Undertakings()
  await using fleet = new SimulatedFleet({
    url: server.url,
    key: pool.key,
    onRunTask(agent, task, at) {
      agent.accept(task)
      ends.add(fleet.finish(agent, task).finally(() => received({ task, at: epochOf(at) })))
    },
  })
  await fleet.growTo(1)
  const [id = ''] = await makeWorkspaces(server.client, pool, 1)
  const times: number[] = []
  for (let done = 0; done < tasks + warmUps; done++) {
    const receipt = new Promise<{ at: number }>((resolve) => {
      received = resolve
    })
    const task = await server.client.tasks.create({ params: { id }, body: { task_type: 'plan' } })
    times.push((await receipt).at - stampOf(task.created_at))
  }
  await ends.ended()
  return times.slice(warmUps)
}

/** Milliseconds from each task's row to the first act of the first terraform of it, on a real agent with a warm work directory. */
export async function spawnsOfIdleAgent({ server, pool }: FleetServer, directory: string): Promise<number[]> {
  const [terraformHome, home] = [join(directory, 'terraform'), join(directory, 'agent')]
  for (const path of [terraformHome, home]) await mkdir(path)
  const terraform = await layOutTimedTerraform(terraformHome)
  const args = ['--terraform-path', terraform.path]
  await using _agent = await startAgent({ server, key: pool.key, home, args })
  const [id = ''] = await makeWorkspaces(server.client, pool, 1)
  const times: number[] = []
  for (let done = 0; done < spawnTasks + warmUps; done++) {
    const before = (await terraform.spawns()).length
    const task = await server.client.tasks.create({ params: { id }, body: { task_type: 'plan' } })
    const end = await eventually(
      'the task ended',
      async () => {
        const now = await server.client.tasks.get({ params: { id: task.id } })
        return isFinal(now.status) && now
      },
      { everyMs: 20 },
    )
    if (end.status !== 'success') throw new Error(`task ${task.id} ended as ${end.status}: ${end.error_message}`)
    const first = (await terraform.spawns())[before]
    if (first === undefined) throw new Error(`task ${task.id} ended and ran no terraform`)
    times.push(first.at - stampOf(task.created_at))
    await elapsed(idleMs)
  }
  return times.slice(warmUps)
}
