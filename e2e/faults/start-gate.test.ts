import { cp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Task } from '@iac-agent/protocol'
import { eventually, fakeConfiguration, type RunningAgent, startAgent, temporaryDirectory } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CancelRig } from './cancel-rig.js'
import { byLength } from './lengths.js'
import type { LoneAgent } from './lone-agent.js'

/** Before the server knows, and last before terraform; all between them in the long form. */
const instants = byLength({
  short: ['start_gate.asked', 'run.apply.intended'],
  long: ['start_gate.asked', 'start_gate.granted', 'start_gate.recorded', 'run.apply.intended'],
})
const apply = fakeConfiguration({ resources: 2 })

let bench: CancelRig
beforeAll(async () => {
  bench = await CancelRig.start()
})
afterAll(async () => await bench[Symbol.asyncDispose]())

describe.concurrent('an agent that lost the journal of an apply', () => {
  it('between the granted start and terraform is told that it was started, and starts nothing', async () => {
    await using agent = await bench.loneAgent({ IAC_CRASH_POINT: 'start_gate.granted' })
    const id = await queued(agent, apply)
    await agent.child.exited
    await forget(agent, id)
    await agent.start({ env: {} })
    await unreachable(id)
    expect(await bench.applies(id)).toBe(0)
    const task = await givenUp(agent, id)
    expect(task).toMatchObject({ status: 'failed', error_code: 'lost', attempt: 2 })
    expect(await bench.applies(id)).toBe(0)
  })

  it('while terraform applies starts no second one, however often it starts itself', async () => {
    await using agent = await bench.loneAgent()
    const id = await queued(agent, fakeConfiguration({ stubborn: 'apply' }))
    await eventually('terraform hangs', async () => (await bench.rig.task(id)).apply_output?.includes('hangs'))
    await agent.stop('SIGKILL')
    await forget(agent, id)
    for (let start = 0; start < 2; start++) {
      await agent.start()
      await unreachable(id)
      await agent.stop('SIGKILL')
    }
    await agent.start()
    await givenUp(agent, id)
    expect(await bench.applies(id)).toBe(1)
  })
})

describe.concurrent('of an agent and a copy of its data directory', () => {
  it.each(instants)('one alone applies what was under way at %s, whichever comes back first', async (point) => {
    for (const isCopyFirst of [true, false]) {
      await using home = await temporaryDirectory('copy')
      await using agent = await bench.loneAgent({ IAC_CRASH_POINT: point })
      const id = await queued(agent, apply)
      await agent.child.exited
      await cp(agent.dataDir, join(home.path, 'data'), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !/\.(sock|lock)/.test(path),
      })
      const runCopy = async () => {
        const { server } = bench.rig
        await using copy = await startAgent({ server, key: agent.key, args: bench.agentArgs, home: home.path })
        expect(copy.agentId).toBe(agent.agentId)
        return await applyStarts(id, copy)
      }
      const runFirst = async () => {
        await agent.start({ env: {} })
        const starts = await applyStarts(id, agent)
        await agent.stop()
        return starts
      }
      const starts = isCopyFirst ? [await runCopy(), await runFirst()] : [await runFirst(), await runCopy()]
      const label = `${point}, ${isCopyFirst ? 'the copy' : 'the first one'} first`
      expect(starts.sort(), label).toEqual([0, 1])
      expect((await bench.ended(id, label)).status, label).toBe('applied')
    }
  })
})

async function queued(agent: LoneAgent, code: string): Promise<number> {
  const workspace = await bench.rig.workspace(code, { pool_id: agent.poolId, auto_apply: true })
  return bench.rig.queue(workspace, 'plan_and_apply')
}

function forget({ dataDir }: RunningAgent, id: number): Promise<void> {
  return rm(join(dataDir, 'attempts', `${id}-2`), { recursive: true })
}

function unreachable(id: number): Promise<Task> {
  return bench.rig.taskWhen(id, 'unreachable', ({ unreachable_since }) => unreachable_since !== null)
}

/** How often this process starts terraform to apply the task; told once it has applied it, was refused, or has nothing of it. */
async function applyStarts(id: number, { child, dataDir }: RunningAgent): Promise<number> {
  const journal = join(dataDir, 'attempts', `${id}-2`, 'journal.jsonl')
  const isOver = async () => {
    const facts = await readFile(journal, 'utf8').catch((cause: NodeJS.ErrnoException) => cause.code)
    return facts === 'ENOENT' || facts?.includes('already_started') || facts?.includes('"item":"status"')
  }
  await eventually('the attempt is delivered, or refused', isOver, { timeoutMs: 60_000 })
  return child.log.records.filter(({ msg, run, task_id }) => {
    return msg === 'command started' && run === 'apply-1' && task_id === id
  }).length
}

/** A person declares the task lost, and unlocks the workspace. */
async function givenUp(agent: RunningAgent, id: number): Promise<Task> {
  const { name } = await bench.rig.client.agents.get({ params: { agent_id: agent.agentId } })
  const declare = () => bench.rig.client.tasks.declareLost({ params: { id }, body: { agent_name: name } })
  const task = await eventually('it can be declared lost', declare)
  const { lock } = await bench.rig.client.workspaces.get({ params: { id: task.workspace_id } })
  expect(lock?.reason).toContain(`task ${id} was declared lost`)
  await bench.rig.client.workspaces.unlock({ params: { id: task.workspace_id } })
  return task
}
