import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { identityOf, isAlive } from '../../src/journal/process-identity.js'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { orderText } from '../../src/terraform/order.js'
import { claimRun } from '../../src/terraform/run-facts.js'
import { SupervisedRun } from '../../src/terraform/supervised-run.js'
import { startRun } from './start-run.js'
import { sh, superviseCommand } from './supervised-command.js'

const env = { PATH: process.env.PATH ?? '' }

/** Of all processes. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.join('\n')
}

describe('a supervised run', () => {
  it('records the exit code and keeps stdout and stderr in order', async () => {
    await using command = await superviseCommand(sh('echo one; echo two >&2; echo three; exit 3'))
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 3 })
    expect(await command.output()).toBe('one\ntwo\nthree\n')
    expect(await command.leftBehind()).toEqual([])
  })

  it('has exactly the environment it was given, and nothing to read', async () => {
    await using command = await superviseCommand(sh('/usr/bin/env | /usr/bin/sort; cat'), { env: { ONLY: 'this' } })
    await command.run.wait()
    const names = (await command.output()).split('\n').map((line) => line.split('=')[0])
    expect(names.filter((name) => name && !['PWD', '_', 'SHLVL', 'OLDPWD'].includes(name))).toEqual(['IAC_RUN', 'ONLY'])
  })

  it('runs when the workspace points PATH to nowhere', async () => {
    await using command = await superviseCommand(sh('exit 0'), { env: { PATH: '/nope' } })
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
  })

  it('passes words with blanks, quotes and dollars on as they are', async () => {
    await using command = await superviseCommand(['/usr/bin/printf', '%s|', 'a b', `"q'`, '$HOME', ''])
    await command.run.wait()
    expect(await command.output()).toBe(`a b|"q'|$HOME||`)
  })

  it('sweeps a grandchild that the command left behind', async () => {
    await using command = await superviseCommand(sh('sleep 1000 & echo started $!; exit 0'))
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
    const pid = Number(/started (\d+)/.exec(await command.output())?.[1])
    expect(await identityOf(pid)).toBeUndefined()
  })

  it('kills a grandchild that ignores SIGTERM after two seconds', async () => {
    await using command = await superviseCommand(
      sh(`(trap '' TERM; echo deaf; while :; do sleep 0.1; done) & sleep 0.3`),
    )
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
    expect(await command.leftBehind()).toEqual([])
  })

  it('delivers one SIGINT to the command alone', async () => {
    await using command = await superviseCommand(
      sh(`trap 'echo interrupted' INT; sleep 30 & echo ready; wait; kill -0 $! && echo sleeper lives; exit 7`),
    )
    await command.prints('ready')
    expect(await command.run.interrupt()).toBe(true)
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 7 })
    expect(await command.output()).toBe('ready\ninterrupted\nsleeper lives\n')
  })

  it('interrupts a command that was started this very moment', async () => {
    await using command = await superviseCommand(['/bin/sleep', '30'])
    expect(await command.run.interrupt()).toBe(true)
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 130 })
  })

  it('records 137 when the command is killed, and sweeps what it had started', async () => {
    await using command = await superviseCommand(sh('sleep 1000 & echo ready; wait'))
    await command.prints('ready')
    expect(await command.run.kill()).toBe(true)
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 137 })
    expect(await command.leftBehind()).toEqual([])
  })

  it('does not signal a command that has ended', async () => {
    await using command = await superviseCommand(sh('exit 0'))
    await command.run.wait()
    expect(await command.run.interrupt()).toBe(false)
    expect(await command.run.kill()).toBe(false)
  })

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
    'keeps the true exit code when its supervisor gets %s',
    async (name) => {
      await using command = await superviseCommand(sh('echo ready; sleep 0.5; exit 5'))
      await command.prints('ready')
      process.kill(await command.supervisorPid(), name)
      expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 5 })
    },
  )

  it('is lost, not failed, when its supervisor was killed: the code is unknown', async () => {
    await using command = await superviseCommand(sh('echo ready; sleep 0.6; echo done'))
    await command.prints('ready')
    process.kill(await command.supervisorPid(), 'SIGKILL')
    expect(await command.run.wait()).toEqual({ kind: 'lost' })
    expect(await command.output()).toBe('ready\ndone\n')
  })

  it('stops waiting when asked to, and goes on by itself', async () => {
    await using command = await superviseCommand(sh('echo ready; sleep 0.4; exit 0'))
    await command.prints('ready')
    const controller = new AbortController()
    const waiting = command.run.wait(controller.signal)
    controller.abort(new Error('detached'))
    await expect(waiting).rejects.toThrow('detached')
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
  })
})

describe('the start of a run', () => {
  it('happens once when two agents try at the same time', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    for (let round = 0; round < 8; round++) {
      const runDir = join(temporary.path, `run-${round}`)
      const request = { script, runDir, command: sh('echo started; exit 4'), cwd: temporary.path, env }
      const ends = await Promise.all([startRun(request), startRun(request)].map(async (run) => (await run).wait()))
      expect(ends).toEqual([
        { kind: 'exited', exitCode: 4 },
        { kind: 'exited', exitCode: 4 },
      ])
      expect(await readFile(join(runDir, 'output'), 'utf8')).toBe('started\n')
    }
  })

  it('is refused once recovery has taken the claim, and only until then', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const runDir = join(temporary.path, 'run')
    await mkdir(runDir)
    expect(await claimRun(runDir)).toBe(true)
    expect(await claimRun(runDir)).toBe(false)
    const sleeper = await startRun({ script, runDir, command: sh(`touch ${runDir}/ran`), cwd: temporary.path, env })
    await eventually('the end of the refused supervisor', async () => !(await commandLines()).includes(runDir))
    expect(await sleeper.facts()).toMatchObject({ claim: { pid: process.pid } })
    await expect(readFile(join(runDir, 'ran'))).rejects.toThrow('ENOENT')
  })

  it('counts as not started when the output cannot be opened', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const runDir = join(temporary.path, 'run')
    await mkdir(join(runDir, 'output'), { recursive: true })
    const run = await startRun({ script, runDir, command: sh('exit 0'), cwd: temporary.path, env })
    expect(await run.wait()).toEqual({ kind: 'not_started' })
  })

  it('counts as ended with 125 when there is no such directory to run in', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const [runDir, cwd] = [join(temporary.path, 'run'), join(temporary.path, 'gone')]
    const run = await startRun({ script, runDir, command: sh('exit 0'), cwd, env })
    expect(await run.wait()).toEqual({ kind: 'exited', exitCode: 125 })
    expect(await readFile(join(runDir, 'output'), 'utf8')).toContain(cwd)
  })

  it('appends to the file it is told', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const runDir = join(temporary.path, 'run')
    const output = join(temporary.path, 'all')
    await writeFile(output, 'before\n')
    await (await startRun({ script, runDir, output, command: sh('echo after'), cwd: temporary.path, env })).wait()
    expect(await readFile(output, 'utf8')).toBe('before\nafter\n')
  })

  it('is refused to a shell that leads no group: its sweep would hit whoever started it', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const runDir = join(temporary.path, 'run')
    await mkdir(runDir)
    const input = orderText({ runDir, output: join(runDir, 'output'), command: ['/bin/true'], cwd: runDir, env })
    const { exitCode } = await execa('/bin/sh', [script, ''], { reject: false, input })
    expect(exitCode).toBe(125)
    expect(await new SupervisedRun(runDir).facts()).toEqual({})
  })
})

describe('an agent that dies', () => {
  it('leaves its run to the next agent process, with the true exit code', async () => {
    await using temporary = await temporaryDirectory()
    const script = await installSupervisor(temporary.path)
    const runDir = join(temporary.path, 'run')
    await mkdir(runDir)
    // The dying agent: a Node process that starts the supervisor as the agent does, and is killed.
    const program = `
      const { spawn } = require('node:child_process')
      const [script, order] = process.argv.slice(1)
      const { stdin } = spawn('/bin/sh', [script, ''], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
      stdin.end(order)
      setInterval(() => {}, 1000)`
    const output = join(runDir, 'output')
    const order = orderText({ runDir, output, command: sh('echo ready; sleep 1; echo done; exit 6'), cwd: runDir, env })
    const agent = execa(process.execPath, ['-e', program, script, order], { reject: false })
    const run = new SupervisedRun(runDir)
    await eventually('the command', async () => (await readFile(join(runDir, 'output'), 'utf8')).includes('ready'))
    agent.kill('SIGKILL')
    await agent
    const { pid } = await run.facts()
    expect(pid !== undefined && (await isAlive(pid))).toBe(true)
    expect(await run.wait()).toEqual({ kind: 'exited', exitCode: 6 })
    expect(await readFile(join(runDir, 'output'), 'utf8')).toBe('ready\ndone\n')
  })
})
