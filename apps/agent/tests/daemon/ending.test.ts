import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ExitCode } from '@iac-agent/runtime'
import {
  eventually,
  type FakeServer,
  type FakeTask,
  startFakeServer,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startDaemon } from '../_util/daemon.js'

let home: TemporaryDirectory
let server: FakeServer
beforeEach(async () => {
  home = await temporaryDirectory('ending')
  server = await startFakeServer()
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** A plan and its apply whose resource waits until `gate` is there. */
async function applyThatWaits(gate: string) {
  const command = `echo waiting; until [ -e '${gate}' ]; do sleep 0.05; done`
  const workspace = {
    workspace_id: 'ws-slow',
    tf_code: { resource: { terraform_data: { slow: { provisioner: [{ 'local-exec': { command } }] } } } },
  }
  const plan = server.addTask({ taskType: 'plan_and_apply', workspace })
  server.offer(plan)
  await eventually('the plan', () => plan.finalStatus)
  const apply = server.addTask({ action: 'apply', workspace, ...(plan.plan ? { plan: plan.plan } : {}) })
  server.offer(apply)
  await eventually('terraform to wait', () => apply.log.includes('waiting\n'))
  return apply
}

function heartbeats() {
  return server.received.flatMap((message) => (message.type === 'heartbeat' ? [message.payload] : []))
}

describe('a drain', () => {
  it('ends at once with 0 when nothing runs, leaving no lock and no socket', async () => {
    await using daemon = await startDaemon({ server, dataDir: home.path })
    await server.message('heartbeat')
    expect(await daemon.drain()).toEqual({ waiting_for: [] })
    expect(await daemon.ended).toBe(ExitCode.done)
    expect(await readdir(home.path)).not.toContain('agent.sock')
    expect((await readdir(home.path)).filter((name) => name.startsWith('daemon.lock'))).toEqual([])
  })

  it('says what it waits for, takes no new work, and ends when the run is delivered', async () => {
    await using daemon = await startDaemon({ server })
    await server.message('heartbeat')
    const gate = join(home.path, 'gate')
    const apply = await applyThatWaits(gate)
    expect(await daemon.drain()).toMatchObject({
      waiting_for: [{ task_id: apply.id, action: 'apply', stage: 'applying' }],
    })
    await server.message('heartbeat', ({ status }) => status === 'draining')
    const late = server.addTask({ workspace: { tf_code: {} } })
    server.offer(late)
    expect(await server.message('task_rejected')).toMatchObject({ task_id: late.id, reason: 'agents_draining' })
    await writeFile(gate, '')
    expect(await daemon.ended).toBe(ExitCode.done)
    expect(apply.finalStatus?.status).toBe('applied')
    expect(await server.message('task_completed', ({ task_id }) => task_id === apply.id)).toBeDefined()
  })

  it('that the server asks for is refused work, but no word in heartbeats: the server can take it back at once', async () => {
    await using _daemon = await startDaemon({ server })
    await server.message('heartbeat')
    server.send('drain', { reason: 'new kernel' })
    const refused = server.addTask({ workspace: { tf_code: {} } })
    server.offer(refused)
    expect(await server.message('task_rejected')).toMatchObject({ task_id: refused.id, reason: 'agents_draining' })
    const before = heartbeats().length
    await eventually('a heartbeat', () => heartbeats().length > before)
    expect(heartbeats().map(({ status }) => status)).not.toContain('draining')
  })
})

describe('signals', () => {
  it('let the first one drain and the second one detach: the run goes on and the next start ends it', async () => {
    const dataDir = join(home.path, 'data')
    const gate = join(home.path, 'gate')
    let apply: FakeTask
    {
      await using daemon = await startDaemon({ server, dataDir })
      await server.message('heartbeat')
      apply = await applyThatWaits(gate)
      process.emit('SIGTERM')
      await eventually('the drain', async () => ((await daemon.status()) as { phase: string }).phase === 'draining')
      process.emit('SIGINT')
      expect(await daemon.ended).toBe(ExitCode.detached)
    }
    expect(apply.finalStatus).toBeUndefined()
    await using daemon = await startDaemon({ server, dataDir })
    await eventually('the adoption', async () => ((await daemon.status()) as { apply_running: boolean }).apply_running)
    await writeFile(gate, '')
    await eventually('the outcome', () => apply.finalStatus)
    expect(apply.finalStatus?.status).toBe('applied')
    expect(apply.log.toString()).not.toContain('Interrupt received')
    expect(apply.starts).toHaveLength(1)
  })

  it('interrupt at once on a host that goes away', async () => {
    await using daemon = await startDaemon({ server, flags: { onTerm: 'cancel', termGrace: '20s' } })
    await server.message('heartbeat')
    const apply = await applyThatWaits(join(home.path, 'never'))
    process.emit('SIGTERM')
    expect(await daemon.ended).toBe(ExitCode.done)
    expect(apply.finalStatus?.status).toBe('cancelled')
    expect(apply.states.length).toBeGreaterThan(0)
  })

  it('leave what cannot end within the grace, and the next start delivers it', async () => {
    const dataDir = join(home.path, 'data')
    let apply: FakeTask
    {
      await using daemon = await startDaemon({ server, dataDir, flags: { onTerm: 'cancel', termGrace: '1s' } })
      await server.message('heartbeat')
      server.fail({ match: /^POST .*state$/, times: 1_000, answer: 'cut' })
      apply = await applyThatWaits(join(home.path, 'never'))
      process.emit('SIGTERM')
      expect(await daemon.ended).toBe(ExitCode.detached)
    }
    expect(apply.finalStatus).toBeUndefined()
    server.heal()
    await using daemon = await startDaemon({ server, dataDir, flags: { keepAttempts: '0' } })
    await eventually('the outcome', () => apply.finalStatus)
    expect(apply.finalStatus?.status).toBe('cancelled')
    expect(apply.states.length).toBeGreaterThan(0)
    expect(apply.starts).toHaveLength(1)
    await eventually('nothing left', async () => (await readdir(daemon.data.attempts)).length === 0)
  })
})

describe('a start', () => {
  it('is refused with 5 and the pid while another daemon has the data directory', async () => {
    await using daemon = await startDaemon({ server, dataDir: home.path })
    await server.message('heartbeat')
    await using second = await startDaemon({ server, dataDir: home.path })
    await expect(second.ended).rejects.toMatchObject({
      exitCode: ExitCode.dataDirInUse,
      message: expect.stringContaining(`process ${process.pid}`) as string,
    })
    expect(await daemon.status()).toMatchObject({ phase: 'serving' })
  })

  it('is refused with 2 and the setting when the data directory is a file', async () => {
    await writeFile(join(home.path, 'file'), '')
    await using daemon = await startDaemon({ server, dataDir: join(home.path, 'file') })
    await expect(daemon.ended).rejects.toMatchObject({
      exitCode: ExitCode.usage,
      message: expect.stringContaining('--data-dir') as string,
    })
  })

  it('ends with 3 when the server does not know the key', async () => {
    await using daemon = await startDaemon({ server: { url: server.url, key: { app_key: 'x', app_secret: 'y' } } })
    await expect(daemon.ended).rejects.toMatchObject({ exitCode: ExitCode.refused })
  })

  it('waits for a server that is not there yet', async () => {
    server.fail({ match: /register/, times: 2, answer: 'cut' })
    await using daemon = await startDaemon({ server })
    await eventually('a refused register', () => server.requests.includes('POST /api/v1/agents/register'))
    expect(await daemon.status()).toMatchObject({ phase: 'starting', control: { phase: 'registering' } })
    await server.message('heartbeat')
    await eventually('service', async () => ((await daemon.status()) as { phase: string }).phase === 'serving')
  })

  it('is the same agent after a plain restart', async () => {
    for (let i = 0; i < 2; i++) {
      await using daemon = await startDaemon({ server, dataDir: home.path })
      await eventually('registration', () => server.registered.length === i + 1)
      await daemon.drain()
      expect(await daemon.ended).toBe(ExitCode.done)
    }
    expect(server.registered[1]?.agent_id).toBe(server.registered[0]?.agent_id)
  })
})

it('ends with 3, naming the other, when another live process has its identity', async () => {
  await using daemon = await startDaemon({ server })
  await server.message('heartbeat')
  server.dropSockets(4410, 'agent other on host h')
  expect(await daemon.ended).toBe(ExitCode.refused)
})

it('ends with 3 when its key is revoked and it has nothing left to do', async () => {
  await using daemon = await startDaemon({ server })
  await server.message('heartbeat')
  server.revokeKey()
  server.dropSockets(4401, 'revoked')
  expect(await daemon.ended).toBe(ExitCode.refused)
})
