import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import { eventually, temporaryDirectory } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { openStateBackend } from '../../src/state/state-backend.js'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { saysInterruptReceived } from '../../src/terraform/output-reading.js'
import { groupMembers } from '../../src/terraform/process-group.js'
import { startRun } from '../terraform/start-run.js'
import { type BackendFixture, backendFixture, bytesOf, lineage } from './backend-fixture.js'

/** Two resources one after the other: the first makes `first-done`, then waits until the test makes `go`. */
const inSteps = `
resource "terraform_data" "first" {
  provisioner "local-exec" {
    command = "touch first-done; while ! test -e go; do sleep 0.05; done"
  }
}
resource "terraform_data" "second" {
  depends_on = [terraform_data.first]
}
`

async function startApply(fixture: BackendFixture) {
  const { exitCode, all } = await fixture.terraform(['plan', '-no-color', '-out=p'])
  if (exitCode !== 0) throw new Error(all)
  const runDir = join(fixture.directory, 'run')
  const run = await startRun({
    script: await installSupervisor(fixture.directory),
    runDir,
    command: ['/bin/sh', '-c', 'exec terraform apply -json p'],
    cwd: fixture.rootDir,
    env: { PATH: process.env.PATH ?? '', ...fixture.backend.env },
  })
  const exists = (name: string) => readFile(join(fixture.rootDir, name)).then(() => true)
  return {
    run,
    output: join(runDir, 'output'),
    firstIsRunning: () => eventually('the first resource', () => exists('first-done')),
    letGo: () => writeFile(join(fixture.rootDir, 'go'), ''),
  }
}

const resourcesOf = (text: string): string[] =>
  (JSON.parse(text) as { resources: { name: string }[] }).resources.map(({ name }) => name)

describe('terraform on the loopback backend', () => {
  it('writes its first state as serial 1 of the workspace lineage, large numbers unchanged', async () => {
    await using fixture = await backendFixture()
    await fixture.configure('resource "terraform_data" "a" {\n  input = 12345678901234567890\n}\n')
    const { exitCode, all } = await fixture.terraform(['apply', '-no-color', '-auto-approve'])
    expect(all).toContain('1 added')
    expect(exitCode).toBe(0)
    expect(fixture.told.at(-1)).toMatchObject({ serial: 1, lineage, foreign: false })
    expect(await bytesOf(fixture.told.at(-1))).toMatch(/"value": ?12345678901234567890\b/)
  })

  it('plans nothing after its own apply, and ends a destroy with an empty list of resources', async () => {
    await using fixture = await backendFixture()
    await fixture.configure('resource "terraform_data" "a" {}\n')
    await fixture.terraform(['apply', '-no-color', '-auto-approve'])
    expect((await fixture.terraform(['plan', '-no-color', '-detailed-exitcode'])).exitCode).toBe(0)
    await fixture.terraform(['destroy', '-no-color', '-auto-approve'])
    expect(resourcesOf(await bytesOf(fixture.told.at(-1)))).toEqual([])
  })

  it('waits for its backend and goes on when an agent serves it again on the same port', async () => {
    await using fixture = await backendFixture()
    await fixture.configure(inSteps)
    const apply = await startApply(fixture)
    await apply.firstIsRunning()
    await fixture.backend.close()
    await apply.letGo()
    await eventually('the pause: the first resource is done and nothing can be saved', async () =>
      (await readFile(apply.output, 'utf8')).includes('terraform_data.first: Creation complete'),
    )
    expect((await apply.run.facts()).exitCode).toBeUndefined()
    await fixture.reopen()
    expect(await apply.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
    expect(resourcesOf(await bytesOf(fixture.told.at(-1)))).toEqual(['first', 'second'])
  })

  it('goes on asking while another agent has its port, and then ends well', async () => {
    await using fixture = await backendFixture()
    await using stranger = await temporaryDirectory('stranger')
    await fixture.configure(inSteps)
    const apply = await startApply(fixture)
    await apply.firstIsRunning()
    const { port } = fixture.backend
    await fixture.backend.close()
    let asked = 0
    const log = silentLogger()
    log.debug = () => {
      asked++
    }
    const other = await openStateBackend({
      statesDir: join(stranger.path, 'states'),
      lineage: 'another',
      port,
      onState: async () => undefined,
      log,
    })
    await apply.letGo()
    await eventually('terraform is sent away', () => asked > 1)
    await other.close()
    expect((await apply.run.facts()).exitCode).toBeUndefined()
    await fixture.reopen()
    expect(await apply.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
    expect(resourcesOf(await bytesOf(fixture.told.at(-1)))).toEqual(['first', 'second'])
  })

  it('waits out an agent that cannot write', async () => {
    const disk: { isFull: boolean } = { isFull: true }
    await using fixture = await backendFixture({
      onState: async () => {
        if (disk.isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      },
    })
    await fixture.configure('resource "terraform_data" "a" {}\n')
    const applied = fixture.terraform(['apply', '-no-color', '-auto-approve'])
    await eventually('a refused state', async () => (await fixture.get()).text.includes('"serial": 1'))
    disk.isFull = false
    expect((await applied).exitCode).toBe(0)
  })

  it('stops cleanly on one SIGINT: the resource in flight is finished and saved, the next is not begun', async () => {
    await using fixture = await backendFixture()
    await fixture.configure(inSteps)
    const apply = await startApply(fixture)
    await apply.firstIsRunning()
    expect(await apply.run.interrupt()).toBe(true)
    await eventually('the notice', () => saysInterruptReceived({ path: apply.output }))
    await apply.letGo()
    expect(await apply.run.wait()).toEqual({ kind: 'exited', exitCode: 1 })
    expect(resourcesOf(await bytesOf(fixture.told.at(-1)))).toEqual(['first'])
  })

  it('leaves nothing running when it is killed in mid-apply, and the last state is whole', async () => {
    await using fixture = await backendFixture()
    await fixture.configure(inSteps)
    const apply = await startApply(fixture)
    await apply.firstIsRunning()
    const { claim } = await apply.run.facts()
    // supervisor, terraform and what terraform started
    expect(groupMembers(claim?.pid ?? 0).length).toBeGreaterThan(2)
    expect(await apply.run.kill()).toBe(true)
    expect(await apply.run.wait()).toEqual({ kind: 'exited', exitCode: 137 })
    expect(groupMembers(claim?.pid ?? 0)).toEqual([])
    const { text } = await fixture.get()
    expect(JSON.parse(text)).toMatchObject({ lineage })
  })
})
