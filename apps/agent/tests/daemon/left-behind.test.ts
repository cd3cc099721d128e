import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  eventually,
  type FakeServer,
  type FakeTask,
  startFakeServer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { NewFact } from '../../src/journal/attempt-record.js'
import { Journal } from '../../src/journal/journal.js'
import { type AttemptLayout, attemptLayout, dataLayout, runDirectory, workLayout } from '../../src/journal/layout.js'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { readRun } from '../../src/terraform/run-facts.js'
import { startDaemon } from '../_util/daemon.js'
import { ran } from '../_util/facts.js'
import { startRun } from '../terraform/start-run.js'

let home: TemporaryDirectory
let server: FakeServer
let task: FakeTask
let layout: AttemptLayout
const workRoot = () => join(home.path, 'data', 'work')

beforeEach(async () => {
  home = await temporaryDirectory('left')
  server = await startFakeServer()
  task = server.addTask({ workspace: { tf_code: {} } })
  layout = attemptLayout(dataLayout(join(home.path, 'data')), task.id, task.attempt)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** An attempt as an agent leaves it that dies in mid-plan. */
async function leaveBehind(...facts: NewFact[]): Promise<void> {
  const { directory, claim } = workLayout(workRoot(), task.workspaceId)
  await mkdir(directory, { recursive: true })
  await symlink(`${process.pid}:1:x ${layout.root}`, `${claim}.dead`)
  await using journal = await Journal.open(layout.journal)
  const before: NewFact[] = [
    {
      fact: 'offered',
      taskId: task.id,
      attempt: task.attempt,
      workspaceId: task.workspaceId,
      action: 'plan',
      leaseToken: task.lease,
      leaseTtlMs: 60_000,
      workRoot: workRoot(),
    },
    { fact: 'fetched', taskType: 'plan', lineage: 'l', hasState: false },
    { fact: 'prepared', rootDirectory: directory, isBuiltinOnly: true },
    { fact: 'engineFound', engine: 'terraform', version: '1.11.4', program: '/nowhere/terraform' },
    { fact: 'initSkipped' },
  ]
  for (const fact of [...before, ...facts]) await journal.append(fact)
  await writeFile(layout.data, JSON.stringify(task.data()))
  await mkdir(runDirectory(layout, 'plan-1'), { recursive: true })
}

const spawning: NewFact = { fact: 'spawning', run: 'plan-1', outputOffset: 0 }
const start = () => startDaemon({ server, dataDir: join(home.path, 'data') })
const outcome = () => eventually('the outcome', () => task.finalStatus)

it('removes at its start what was being written when it was killed', async () => {
  const dataDir = join(home.path, 'data')
  await mkdir(dataDir, { recursive: true })
  await writeFile(join(dataDir, 'ballast.0123456789ab.tmp'), 'half of it')
  await using daemon = await start()
  await eventually('it serves', () => daemon.status())
  expect(await readdir(dataDir)).not.toContain('ballast.0123456789ab.tmp')
})

it('never starts a command that was cancelled before anybody started it', async () => {
  await leaveBehind(spawning, { fact: 'cancelRequested', reason: 'operator' })
  await using _daemon = await start()
  expect(await outcome()).toMatchObject({ status: 'cancelled' })
})

it('does not go on in a work directory that another attempt had meanwhile', async () => {
  await leaveBehind(...ran('plan-1'))
  await rm(`${workLayout(workRoot(), task.workspaceId).claim}.dead`)
  await using _daemon = await start()
  expect(await outcome()).toMatchObject({ status: 'failed', error_code: 'work_directory_busy' })
})

it('waits for a command that outlived its agent instead of starting it again, cancelled or not', async () => {
  await leaveBehind(spawning)
  const gate = join(home.path, 'gate')
  await startRun({
    script: await installSupervisor(home.path),
    runDir: runDirectory(layout, 'plan-1'),
    command: ['/bin/sh', '-c', `until [ -e '${gate}' ]; do sleep 0.05; done; exit 3`],
    cwd: home.path,
    env: { PATH: process.env.PATH ?? '' },
  })
  await eventually('the command', async () => (await readRun(runDirectory(layout, 'plan-1'))).pid)
  await using daemon = await start()
  await server.message('heartbeat')
  expect(await daemon.status()).toMatchObject({ attempts: [{ task_id: task.id, stage: 'planning' }] })
  await writeFile(gate, '')
  expect(await outcome()).toMatchObject({ status: 'failed', error_code: 'plan_failed' })
  expect(task.finalStatus?.error_message).toBe('terraform plan ended with exit code 3.')
})

it('says so when nobody knows how a command ended', async () => {
  await leaveBehind(spawning)
  const runDir = runDirectory(layout, 'plan-1')
  const run = await startRun({
    script: await installSupervisor(home.path),
    runDir,
    command: ['/bin/sleep', '60'],
    cwd: home.path,
    env: { PATH: process.env.PATH ?? '' },
  })
  const { claim, pid } = await eventually('the command', async () => {
    const facts = await run.facts()
    return facts.pid && facts
  })
  process.kill(claim?.pid ?? 0, 'SIGKILL')
  process.kill(pid?.pid ?? 0, 'SIGKILL')
  await using _daemon = await start()
  expect(await outcome()).toMatchObject({ status: 'failed', error_code: 'agent_fault' })
  expect(task.finalStatus?.error_message).toContain('supervisor of terraform plan was killed')
})

it('starts although an attempt cannot be read, keeps it, and goes on with the others', async () => {
  await leaveBehind({ fact: 'cancelRequested', reason: 'operator' })
  const broken = attemptLayout(dataLayout(join(home.path, 'data')), 999, 1)
  await mkdir(broken.root, { recursive: true })
  await writeFile(broken.journal, 'no json\n{}\n')
  await using daemon = await start()
  expect(await outcome()).toMatchObject({ status: 'cancelled' })
  expect(await daemon.status()).toMatchObject({
    kept: { for_a_person: [{ attempt: '999-1', why: 'unreadable' }] },
  })
  expect(await readFile(broken.journal, 'utf8')).toBe('no json\n{}\n')
})

it('names the file when it does not say who the agent is', async () => {
  await mkdir(join(home.path, 'data'), { recursive: true })
  await writeFile(join(home.path, 'data', 'agent.json'), '')
  await using daemon = await start()
  await expect(daemon.ended).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('agent.json') })
})

it('clears away a directory whose maker died before its journal, and one that was being removed', async () => {
  const { attempts } = dataLayout(join(home.path, 'data'))
  await mkdir(join(attempts, '7-1'), { recursive: true })
  await mkdir(join(attempts, '.removed-8-1', 'run'), { recursive: true })
  await using daemon = await start()
  await eventually('it serves', () => daemon.status())
  expect(await readdir(attempts)).toEqual([])
})
