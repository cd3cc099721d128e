import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { eventually, processesIn, type RunningAgent, repositoryRoot } from '@iac-agent/testkit'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
let prefix: string

/** Root's tests run the agent as nobody; anybody else's user is unprivileged already. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined
const path = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':')

beforeAll(async () => {
  const { stdout } = await execa('node', ['scripts/package.mjs', 'agent'], { cwd: repositoryRoot() })
  const archive = join(repositoryRoot(), stdout.trim().split('\n').at(-1) ?? '')
  prefix = await mkdtemp(join(tmpdir(), 'iac-prefix-'))
  await execa('npm', ['install', '--global', '--offline', '--prefix', prefix, archive])
  if (user) await chown(prefix, user.uid, user.gid)
  rig = await Rig.start()
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await rm(prefix, { recursive: true })
})

it('runs as two agents of an unprivileged user with an empty environment, drains on SIGTERM and leaves nothing', async () => {
  const options = { command: [join(prefix, 'bin/iac-agent')], env: { PATH: path }, ...(user && { user }) }
  const agents = [await rig.addAgent({ ...options, name: 'left' }), await rig.addAgent({ ...options, name: 'right' })]
  for (const { child } of agents) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).toBe(String(user?.uid ?? process.getuid?.()))
  }
  const workspaces = await Promise.all([1, 2].map(() => rig.workspace(slow(4))))
  const applies = await Promise.all(workspaces.map((id) => rig.queue(id, 'plan_and_apply')))
  for (const id of applies) {
    await rig.reached(id, 'apply_pending')
    await rig.confirm(id)
  }
  const running = await Promise.all(
    applies.map((id) => rig.taskWhen(id, 'applying', ({ stage }) => stage === 'applying')),
  )
  expect(new Set(running.map(({ agent_id }) => agent_id)).size).toBe(2)

  const exits = agents.map((agent) => agent.stop('SIGTERM'))
  const late = await rig.queue(await rig.workspace('output "a" { value = 1 }'), 'plan')
  expect(await Promise.all(exits)).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ])
  for (const id of applies) expect((await rig.task(id)).status).toBe('applied')
  expect((await rig.task(late)).status).toBe('pending')
  for (const agent of agents) await expectNothingLeft(agent)
})

async function expectNothingLeft({ dataDir }: RunningAgent): Promise<void> {
  await eventually('no process works there', async () => (await processesIn(dataDir)).length === 0)
  const names = await readdir(dataDir)
  expect(names.filter((name) => /lock|sock/.test(name))).toEqual([])
  const work = await readdir(join(dataDir, 'work'))
  expect(work.filter((name) => name.includes('.claim'))).toEqual([])
}

function slow(seconds: number): string {
  return `resource "terraform_data" "slow" {\n provisioner "local-exec" { command = "sleep ${seconds}" }\n}\n`
}
