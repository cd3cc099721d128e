import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { attemptLayoutAt, runDirectory, workLayout } from '../../src/journal/layout.js'
import { identityOf } from '../../src/journal/process-identity.js'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { claimWorkDirectory } from '../../src/terraform/work-directory.js'
import { startRun } from './start-run.js'

/** An agent process that is no more: nobody has this start time. */
const deadAgent = (boot: string) => `${process.pid}:1:${boot}`

async function places(temporary: TemporaryDirectory) {
  const work = workLayout(join(temporary.path, 'work root'), 'ws-1')
  const attempt = (name: string) => attemptLayoutAt(join(temporary.path, 'attempts', name))
  const boot = (await identityOf(process.pid))?.boot ?? ''
  const leave = async (name: string) => {
    await mkdir(join(work.claim, '..'), { recursive: true })
    await symlink(`${deadAgent(boot)} ${attempt(name).root}`, `${work.claim}.dead`)
  }
  return { work, attempt, leave }
}

describe('a work directory', () => {
  it('is held by one attempt at a time', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt } = await places(temporary)
    const first = await claimWorkDirectory(work, attempt('1-1'))
    await expect(claimWorkDirectory(work, attempt('2-1'))).rejects.toMatchObject({
      code: 'work_directory_busy',
      message: expect.stringContaining(`attempt 1-1 of the agent process ${process.pid}`),
    })
    await first.release()
    await (await claimWorkDirectory(work, attempt('2-1'))).release()
    expect(await readdir(join(temporary.path, 'work root'))).toEqual(['ws-1'])
  })

  it('can be claimed again by the attempt that has it', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt } = await places(temporary)
    await claimWorkDirectory(work, attempt('1-1'))
    await (await claimWorkDirectory(work, attempt('1-1'))).release()
    expect(await readdir(join(temporary.path, 'work root'))).toEqual(['ws-1'])
  })

  it('is taken from a dead agent that left nothing running', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt, leave } = await places(temporary)
    await leave('1-1')
    await claimWorkDirectory(work, attempt('2-1'))
    const links = (await readdir(join(work.claim, '..'))).filter((name) => name.startsWith('ws-1.claim'))
    expect(links).toHaveLength(1)
    expect(await readlink(join(work.claim, '..', links[0] ?? ''))).toContain(attempt('2-1').root)
  })

  it('is untouched for the attempt that left it, from wherever that comes back, until another one had it', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt, leave } = await places(temporary)
    const copyOf = (name: string) => attemptLayoutAt(join(temporary.path, 'copied data', name))
    await leave('1-1')
    const copy = await claimWorkDirectory(work, copyOf('1-1'))
    expect(copy.isUntouched).toBe(true)
    await copy.handBack()
    const first = await claimWorkDirectory(work, attempt('1-1'))
    expect(first.isUntouched).toBe(true)
    await first.release()
    expect((await claimWorkDirectory(work, attempt('1-1'))).isUntouched).toBe(false)
  })

  it('goes to one of many that find it abandoned', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt, leave } = await places(temporary)
    await leave('1-1')
    const claims = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) => claimWorkDirectory(work, attempt(`2-${index}`))),
    )
    expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await readdir(join(temporary.path, 'work root'))).toEqual(['ws-1', expect.stringMatching(/^ws-1\.claim\./)])
  })

  it('is kept for a terraform that outlived its agent, and for the attempt that adopts it', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt, leave } = await places(temporary)
    const run = await startRun({
      script: await installSupervisor(temporary.path),
      runDir: runDirectory(attempt('1-1'), 'apply-1'),
      command: ['/bin/sleep', '30'],
      cwd: temporary.path,
      env: {},
    })
    await eventually('the command', async () => (await run.facts()).pid)
    await leave('1-1')
    await expect(claimWorkDirectory(work, attempt('2-1'))).rejects.toMatchObject({ code: 'work_directory_busy' })
    await claimWorkDirectory(work, attempt('1-1'))
    await run.kill()
    await run.wait()
  })

  it('is kept while what a killed supervisor had started still runs', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt, leave } = await places(temporary)
    const run = await startRun({
      script: await installSupervisor(temporary.path),
      runDir: runDirectory(attempt('1-1'), 'apply-1'),
      command: ['/bin/sleep', '30'],
      cwd: temporary.path,
      env: {},
    })
    const { claim } = await eventually('the command', async () => {
      const facts = await run.facts()
      return facts.pid && facts
    })
    process.kill(claim?.pid ?? 0, 'SIGKILL')
    await leave('1-1')
    await expect(claimWorkDirectory(work, attempt('2-1'))).rejects.toMatchObject({ code: 'work_directory_busy' })
    await run.kill()
    expect(await run.wait()).toEqual({ kind: 'lost' })
    await claimWorkDirectory(work, attempt('2-1'))
  })

  it('is cleaned of everything but the .terraform of its root module', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt } = await places(temporary)
    const directory = await claimWorkDirectory(work, attempt('1-1'))
    for (const path of ['envs/prod/.terraform/providers', 'envs/dev/.terraform', '.terraform', 'modules']) {
      await mkdir(join(directory.path, path), { recursive: true })
      await writeFile(join(directory.path, path, 'file'), path)
    }
    await writeFile(join(directory.path, 'envs/prod/.terraform.lock.hcl'), '')
    await directory.clean('envs/prod')
    expect(await readdir(directory.path, { recursive: true })).toEqual([
      'envs',
      'envs/prod',
      'envs/prod/.terraform',
      'envs/prod/.terraform/providers',
      'envs/prod/.terraform/providers/file',
    ])
    await directory.clean()
    expect(await readdir(directory.path)).toEqual([])
  })

  it('is cleaned without following a link out of it', async () => {
    await using temporary = await temporaryDirectory()
    const { work, attempt } = await places(temporary)
    const directory = await claimWorkDirectory(work, attempt('1-1'))
    const outside = join(temporary.path, 'outside')
    await mkdir(join(outside, 'prod'), { recursive: true })
    await writeFile(join(outside, 'prod/precious'), 'x')
    await symlink(outside, join(directory.path, 'envs'))
    await directory.clean('envs/prod')
    expect(await readFile(join(outside, 'prod/precious'), 'utf8')).toBe('x')
    expect(await readdir(directory.path)).toEqual([])
  })
})
