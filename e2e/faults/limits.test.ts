import { readdir } from 'node:fs/promises'
import { eventually, layOutMisbehavingTerraform, type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rig } from '../rig.js'
import { nothingLeft } from './leftovers.js'

let rig: Rig
let home: TemporaryDirectory
let terraform: string
beforeAll(async () => {
  rig = await Rig.start()
  home = await temporaryDirectory('misbehaving')
  terraform = await layOutMisbehavingTerraform(home.path)
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

describe('a task', () => {
  it.each([
    ['hog', 'memory_limit', ['--task-memory-limit', '100MiB']],
    ['silent', 'silence_timeout', ['--silence-timeout', '1s']],
    ['talk silent', 'run_timeout', ['--run-timeout', '1s']],
  ])('whose terraform is "%s" fails with %s', async (orders, code, args) => {
    const agent = await rig.addAgent({ args: ['--terraform-path', terraform, ...args] })
    const task = await rig.reached(await planned(orders), 'failed')
    expect(task.error_code).toBe(code)
    expect(task.error_message).toContain(args[0])
    const log = await rig.log(task.id, 'plan')
    expect(log.match(/^(Interrupt received|Error: terraform plan)/gm)).toEqual([
      'Interrupt received',
      'Error: terraform plan',
    ])
    await nothingLeft(agent)
    await agent.stop()
  })

  it('whose terraform is killed by somebody says so, and shows what it had used', async () => {
    const agent = await rig.addAgent({ args: ['--terraform-path', terraform] })
    const task = await rig.reached(await planned('busy killed'), 'failed')
    expect(task.error_code).toBe('killed')
    expect(task.plan_usage?.peak_rss_bytes).toBeGreaterThan(1024 * 1024)
    await nothingLeft(agent)
    await agent.stop()
  })
})

describe('what a task used', () => {
  it('is exact in CPU time for the agent that comes back after a kill -9, which has not seen it all', async () => {
    const agent = await rig.addAgent({ args: ['--terraform-path', terraform] })
    const id = await planned('busy waits')
    await rig.taskWhen(id, 'busy', ({ plan_output }) => plan_output?.includes('was busy') === true)
    await agent.stop('SIGKILL')
    await agent.start()
    const task = await rig.reached(id, 'success')
    expect(task.plan_usage?.cpu_ms).toBeGreaterThanOrEqual(500)
    expect(task.apply_usage).toBeNull()
    await nothingLeft(agent)
    await agent.stop()
  })

  it('has the peak that an agent process saw which was replaced meanwhile', async () => {
    const agent = await rig.addAgent({ args: ['--terraform-path', terraform] })
    const id = await planned('peaks waits')
    const { plan_output } = await rig.taskWhen(id, 'holding', (task) => task.plan_output?.includes('holds') === true)
    process.kill(agent.child.pid, 'SIGTERM')
    await agent.child.waitForLine('stop requested')
    expect(await agent.stop('SIGINT')).toEqual({ code: 6, signal: null })
    const holder = Number(/holds (\d+)/.exec(plan_output ?? '')?.[1])
    process.kill(holder, 'SIGKILL')
    await eventually('the memory is free again', async () => !(await readdir('/proc')).includes(String(holder)))
    await agent.start()
    const task = await rig.reached(id, 'success')
    expect(task.plan_usage?.peak_rss_bytes).toBeGreaterThan(150 * 1024 * 1024)
    await agent.stop()
  })

  it('is told of real terraform, plan and apply', async () => {
    const agent = await rig.addAgent()
    const task = await rig.apply(await rig.workspace('resource "terraform_data" "a" {}'))
    for (const usage of [task.plan_usage, task.apply_usage]) {
      expect(usage?.cpu_ms).toBeGreaterThan(20) // terraform's start alone; it is counted in ticks of 10 ms
      expect(usage?.peak_rss_bytes).toBeGreaterThan(20 * 1024 * 1024)
    }
    await agent.stop()
  })
})

async function planned(orders: string): Promise<number> {
  return await rig.queue(await rig.workspace(`# ${orders}\n`), 'plan')
}
