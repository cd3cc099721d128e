import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, processesIn, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { orderText } from '../../src/terraform/order.js'
import { beginStandby } from './start-run.js'
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

  it('starts nothing when it was cut off, wherever', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const whole = orderText({ command: sh(`touch ${temporary.path}/ran`), cwd: '/', env: { A: `it's\nso` } })
    for (let length = 0; length < whole.length; length += 3) {
      const { exitCode } = await execa('/bin/sh', [script, temporary.path], {
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
    const runDir = join(temporary.path, 'run')
    const standby = await beginStandby({ script: await installSupervisor(temporary.path), runDir })
    const run = standby.order({ command: sh('exit 4'), cwd: temporary.path, env })
    expect(await run.wait()).toEqual({ kind: 'exited', exitCode: 4 })
  })

  it('ends when it is dismissed, having claimed nothing', async () => {
    await using temporary = await temporaryDirectory()
    const runDir = join(temporary.path, 'run')
    const standby = await beginStandby({ script: await installSupervisor(temporary.path), runDir })
    await standby.dismiss()
    expect(await readdir(runDir)).toEqual([])
  })

  it('is not there to run anything when it was killed: the order tells', async () => {
    await using temporary = await temporaryDirectory()
    const runDir = join(temporary.path, 'run')
    const standby = await beginStandby({ script: await installSupervisor(temporary.path), runDir })
    await killAllIn(runDir)
    const run = standby.order({ command: sh(`touch ${temporary.path}/ran`), cwd: temporary.path, env })
    expect(await run.wait()).toEqual({ kind: 'not_started' })
  })

  it('ends with the agent that began it', async () => {
    await using temporary = await temporaryDirectory()
    const runDir = temporary.path
    const script = await installSupervisor(runDir)
    const program = `
      const { spawn } = require('node:child_process')
      const [script, runDir] = process.argv.slice(1)
      spawn('/bin/sh', [script, runDir], { cwd: runDir, detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
      setInterval(() => {}, 1000)`
    const agent = execa(process.execPath, ['-e', program, script, runDir], { reject: false })
    await eventually('the supervisor', async () => (await processesIn(runDir)).length > 0)
    agent.kill('SIGKILL')
    await agent
    await eventually('its end', async () => (await processesIn(runDir)).length === 0)
  })
})

async function killAllIn(runDir: string): Promise<void> {
  for (const pid of await processesIn(runDir)) process.kill(pid, 'SIGKILL')
  await eventually('their end', async () => (await processesIn(runDir)).length === 0)
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}
