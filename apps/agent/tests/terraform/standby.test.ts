import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, processesIn, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { type Order, orderText } from '../../src/terraform/order.js'
import { Standby } from '../../src/terraform/standby.js'
import { sh, superviseCommand } from './supervised-command.js'

const env = { PATH: process.env.PATH ?? '' }

describe('an order', () => {
  it('passes an environment on to the last byte, and no name of the supervisor itself in its way', async () => {
    const values = {
      A: `it's "so" $HOME \`x\` \\`,
      B: 'two\nlines\n',
      d: 'not a directory',
      order: '',
      code: '7',
      pid: 'x',
      start: '1',
    }
    await using command = await superviseCommand(sh('/usr/bin/env -0'), { env: values })
    await command.run.wait()
    const shown = Object.fromEntries((await command.output()).split('\0').map((line) => splitOnce(line)))
    expect(shown).toMatchObject(values)
  })

  it('leaves out names that a shell cannot write, or keeps for itself, and nothing else', async () => {
    await using command = await superviseCommand(sh('/usr/bin/env'), {
      env: { 'a.b': '1', 'a-b': '2', 'x; exit 3': '3', UID: '4', LAST: '5' },
    })
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
    expect(await command.output()).toContain('LAST=5')
    expect(await command.output()).not.toMatch(/a\.b|a-b|exit 3/)
  })

  it("gives the command the agent's umask, and keeps what the supervisor writes to this user", async () => {
    await using command = await superviseCommand(sh('umask'))
    await command.run.wait()
    expect(Number.parseInt(await command.output(), 8)).toBe(process.umask())
    const runDir = join(command.directory, 'run')
    const facts = (await readdir(runDir)).filter((name) => name.includes('='))
    const modes = await Promise.all(facts.map(async (name) => (await stat(join(runDir, name))).mode & 0o777))
    expect(modes).toEqual([0o600, 0o600])
  })

  it('starts nothing when it was cut off, wherever', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const [runDir, output] = [temporary.path, join(temporary.path, 'output')]
    const command = sh(`touch ${temporary.path}/ran`)
    const whole = orderText({ runDir, output, command, cwd: '/', env: { A: `it's\nso` } })
    for (let length = 0; length < whole.length; length += 3) {
      const { exitCode } = await execa('/bin/sh', [script, ''], {
        reject: false,
        detached: true,
        input: whole.slice(0, length),
        stdout: 'ignore',
        stderr: 'ignore',
      })
      expect(exitCode).not.toBe(0)
    }
    expect(await readdir(temporary.path)).toEqual([script.slice(temporary.path.length + 1)])
  })
})

describe('a supervisor that stands by', () => {
  it('runs what it is ordered', async () => {
    await using temporary = await temporaryDirectory()
    const standby = await standingIn(temporary.path)
    const run = standby.order(orderIn(temporary.path, 'exit 4'))
    expect(await run.wait()).toEqual({ kind: 'exited', exitCode: 4 })
  })

  it('ends when it is dismissed, having claimed nothing', async () => {
    await using temporary = await temporaryDirectory()
    const standby = await standingIn(temporary.path)
    const before = await readdir(temporary.path)
    await standby.dismiss()
    expect(await readdir(temporary.path)).toEqual(before)
    await eventually('that it has heard of its end', () => !standby.isUp)
  })

  it('is not there to run anything when it was killed: the order tells', async () => {
    await using temporary = await temporaryDirectory()
    const standby = await standingIn(temporary.path)
    await killAllIn(temporary.path)
    const run = standby.order(orderIn(temporary.path, `touch ${temporary.path}/ran`))
    expect(await run.wait()).toEqual({ kind: 'not_started' })
  })

  it('ends with the agent that began it', async () => {
    await using temporary = await temporaryDirectory()
    const directory = temporary.path
    const script = await installSupervisor(directory)
    const program = `
      const { spawn } = require('node:child_process')
      const [script, cwd] = process.argv.slice(1)
      spawn('/bin/sh', [script, ''], { cwd, detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
      setInterval(() => {}, 1000)`
    const agent = execa(process.execPath, ['-e', program, script, directory], { reject: false })
    await eventually('the supervisor', async () => (await processesIn(directory)).length > 0)
    agent.kill('SIGKILL')
    await agent
    await eventually('its end', async () => (await processesIn(directory)).length === 0)
  })
})

async function standingIn(directory: string): Promise<Standby> {
  await mkdir(join(directory, 'run'))
  return await Standby.begin({ script: await installSupervisor(directory), directory, cgroup: undefined })
}

function orderIn(directory: string, text: string): Order {
  const runDir = join(directory, 'run')
  return { runDir, output: join(runDir, 'output'), command: sh(text), cwd: directory, env }
}

async function killAllIn(directory: string): Promise<void> {
  for (const pid of await processesIn(directory)) process.kill(pid, 'SIGKILL')
  await eventually('their end', async () => (await processesIn(directory)).length === 0)
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}
