import { access, mkdir, mkdtemp, readlink, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { identityOf } from '../../src/journal/process-identity.js'
import { findCgroup, handCgroup, leaveCgroup, makeCgroup, removeCgroup } from '../../src/terraform/cgroup.js'
import { installSupervisor } from '../../src/terraform/install-supervisor.js'
import { cpuMs } from '../../src/terraform/run-cpu.js'
import { measureMemory } from '../../src/terraform/run-memory.js'
import { startRun } from './start-run.js'
import { sh, superviseCommand } from './supervised-command.js'

/** Undefined on a host that gives this user no cgroup: there the same runs have to go on without. */
const parent = await findCgroup()

const daemonOf = (text: string) => Number(/daemon (\d+)/.exec(text)?.[1])
const leaveDaemon = 'setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo daemon $!'

describe('a command that leaves a daemon in a session of its own', () => {
  it('leaves nothing where runs have a cgroup; elsewhere the daemon escapes', async () => {
    await using command = await superviseCommand(sh(`${leaveDaemon}; sleep 0.2; exit 4`), { cgroup: parent })
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 4 })
    const daemon = daemonOf(await command.output())
    if (parent !== undefined) {
      await eventually('the end of the daemon', async () => (await identityOf(daemon)) === undefined)
    } else {
      expect(await identityOf(daemon)).toBeDefined()
      process.kill(daemon, 'SIGKILL')
    }
  })

  it('has its daemon counted with its memory', async () => {
    const hold = `'${process.execPath}' -e 'globalThis.b = Buffer.alloc(80 << 20, 1); console.log("held"); setInterval(() => {}, 1000)'`
    const text = `setsid ${hold} & echo daemon $!; wait`
    await using command = await superviseCommand(sh(text), { cgroup: parent })
    await command.prints('held')
    const { rssBytes } = measureMemory(command.run.runDir, await command.supervisorPid())
    if (parent === undefined) expect(rssBytes).toBeLessThan(80 << 20)
    else expect(rssBytes).toBeGreaterThan(80 << 20)
    process.kill(daemonOf(await command.output()), 'SIGKILL')
    await command.run.wait()
  })

  it('has it killed with the cgroup when its supervisor was killed', async () => {
    await using command = await superviseCommand(sh(`${leaveDaemon}; sleep 0.3`), { cgroup: parent })
    await command.prints('daemon')
    process.kill(await command.supervisorPid(), 'SIGKILL')
    expect(await command.run.wait()).toEqual({ kind: 'lost' })
    const daemon = daemonOf(await command.output())
    expect(await identityOf(daemon)).toBeDefined()
    if (parent === undefined) process.kill(daemon, 'SIGKILL')
    else expect(await cpuMs(command.run.runDir)).toBeGreaterThan(0)
    await removeCgroup(command.run.runDir)
    await eventually('the end of the daemon', async () => (await identityOf(daemon)) === undefined)
  })
})

describe('the cgroup of a run', () => {
  it('is handed over with its name, and is gone after its removal, with those that were made in it and one of an order before', async () => {
    await using home = await temporaryDirectory('cgroup')
    const runDir = join(home.path, 'run')
    await mkdir(runDir)
    const made: string[] = []
    for (let order = 0; order < 2; order++) {
      const spare = await makeCgroup(parent ?? home.path, await folderIn(home.path))
      made.push(spare.path)
      await handCgroup(spare, runDir)
      await expect(readlink(spare.link)).rejects.toThrow('ENOENT')
    }
    expect(await readlink(join(runDir, 'cgroup'))).toBe(made[1])
    if (parent !== undefined) await mkdir(join(made[1] ?? '', 'inner'))
    await removeCgroup(runDir)
    await removeCgroup(runDir)
    for (const directory of made) await expect(access(directory)).rejects.toThrow('ENOENT')
  })

  it('is left, and its name with it, when no run got it: but not while somebody is in it', async () => {
    await using home = await temporaryDirectory('cgroup')
    const { path: directory, link } = await makeCgroup(parent ?? home.path, await folderIn(home.path))
    if (parent !== undefined) {
      const sleeper = execa('/bin/sleep', ['60'], { reject: false })
      await writeFile(join(directory, 'cgroup.procs'), String(sleeper.pid))
      await leaveCgroup(link)
      expect(await readlink(link)).toBe(directory)
      sleeper.kill('SIGKILL')
      await sleeper
    }
    await leaveCgroup(link)
    await leaveCgroup(link)
    await expect(readlink(link)).rejects.toThrow('ENOENT')
    await expect(access(directory)).rejects.toThrow('ENOENT')
  })

  it('may be gone already, by a boot of the host', async () => {
    await using home = await temporaryDirectory('cgroup')
    const spare = await makeCgroup(parent ?? home.path, await folderIn(home.path))
    await rmdir(spare.path)
    await handCgroup(spare, home.path)
    await removeCgroup(home.path)
    expect(await cpuMs(home.path)).toBeUndefined()
  })

  it('may be closed to the supervisor: the run goes on, and its CPU time is that of what was waited for', async () => {
    await using home = await temporaryDirectory('closed')
    await symlink(join(home.path, 'gone'), join(home.path, 'cgroup'))
    const script = await installSupervisor(home.path)
    const burn = [process.execPath, '-e', 'while (process.cpuUsage().user < 300_000) for (let i = 0; i < 1e6; i++);']
    const run = await startRun({ script, runDir: home.path, command: burn, cwd: home.path, env: {} })
    expect(await run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
    expect(await cpuMs(home.path)).toBeGreaterThanOrEqual(300)
    if (parent === undefined) return
    await rm(join(home.path, 'cgroup'))
    await handCgroup(await makeCgroup(parent, await folderIn(home.path)), home.path)
    expect(await cpuMs(home.path)).toBeGreaterThanOrEqual(300)
    await removeCgroup(home.path)
  })
})

function folderIn(directory: string): Promise<string> {
  return mkdtemp(join(directory, 'standby-'))
}
