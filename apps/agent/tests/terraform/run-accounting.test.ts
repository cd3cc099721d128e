import { eventually } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { identityOf } from '../../src/journal/process-identity.js'
import { ageMs } from '../../src/terraform/process-age.js'
import { cpuMs } from '../../src/terraform/run-cpu.js'
import { measureMemory } from '../../src/terraform/run-memory.js'
import { sh, superviseCommand } from './supervised-command.js'

const burn = `'${process.execPath}' -e 'while (process.cpuUsage().user < 300_000) for (let i = 0; i < 1e6; i++);'`

describe('the CPU time of a run', () => {
  it('is that of the command and all it waited for, also when nobody was there', async () => {
    await using command = await superviseCommand(sh(`${burn}; exit 3`))
    expect(await command.run.wait()).toEqual({ kind: 'exited', exitCode: 3 })
    const used = await cpuMs(command.run.runDir)
    expect(used).toBeGreaterThanOrEqual(300)
    expect(used).toBeLessThan(2_000)
  })

  it('is not known when the supervisor was killed, which is not 0', async () => {
    await using command = await superviseCommand(sh('echo ready; sleep 0.3'))
    await command.prints('ready')
    process.kill(await command.supervisorPid(), 'SIGKILL')
    expect(await command.run.wait()).toEqual({ kind: 'lost' })
    expect(await cpuMs(command.run.runDir)).toBeUndefined()
  })
})

describe('the memory of a run', () => {
  it('is that of everybody in its group, and the most that one of them ever had', async () => {
    const hold = (mebibytes: number) =>
      `'${process.execPath}' -e 'globalThis.b = Buffer.alloc(${mebibytes} << 20, 1); console.log("held"); setInterval(() => {}, 1000)'`
    await using command = await superviseCommand(sh(`${hold(60)} & ${hold(90)} & wait`))
    await eventually('both', async () => (await command.output()) === 'held\nheld\n')
    const memory = measureMemory(command.run.runDir, await command.supervisorPid())
    const mebibytes = (bytes: number) => bytes / 1024 / 1024
    expect(mebibytes(memory.rssBytes)).toBeGreaterThan(150)
    expect(mebibytes(memory.highestBytes)).toBeGreaterThan(90)
    expect(mebibytes(memory.highestBytes)).toBeLessThan(mebibytes(memory.rssBytes))
  })
})

describe('the age of a process', () => {
  it('is counted from its start, by whoever asks', async () => {
    const me = await identityOf(process.pid)
    if (me === undefined) throw new Error('not in /proc')
    const older = { ...me, start: String(Number(me.start) - 6_000) }
    const before = process.uptime() * 1000
    const ages = [await ageMs(me), (await ageMs(older)) - 60_000]
    const after = process.uptime() * 1000
    for (const age of ages) {
      expect(age).toBeGreaterThanOrEqual(before)
      expect(age).toBeLessThanOrEqual(after)
    }
  })
})
