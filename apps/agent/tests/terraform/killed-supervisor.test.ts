import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { supervisorPoints } from '../../src/journal/crash-points.js'
import { identityOf } from '../../src/journal/process-identity.js'
import type { RunEnd } from '../../src/terraform/supervised-run.js'
import { sh, superviseCommand } from './supervised-command.js'

const notStarted: RunEnd = { kind: 'not_started' }
const lost: RunEnd = { kind: 'lost' }
const ended: RunEnd = { kind: 'exited', exitCode: 3 }

/** How a command ends whose supervisor was killed there, and whether it ran. */
const expected: Record<string, { end: RunEnd; hasRun: boolean }> = {
  'supervisor.begun': { end: notStarted, hasRun: false },
  'supervisor.claimed': { end: notStarted, hasRun: false },
  'supervisor.starting': { end: notStarted, hasRun: false },
  'supervisor.named': { end: { kind: 'exited', exitCode: 137 }, hasRun: false },
  'supervisor.orphaned': { end: lost, hasRun: true },
  'supervisor.ended': { end: lost, hasRun: true },
  'supervisor.exited': { end: ended, hasRun: true },
  'supervisor.sweeping': { end: ended, hasRun: true },
}

/** Leaves a child behind that is deaf to SIGTERM. */
const command = sh(`(trap '' TERM; echo ran; while :; do sleep 0.1; done) & sleep 0.3; exit 3`)

describe.concurrent('a supervisor that is killed', () => {
  it.each(supervisorPoints)('at %s leaves nobody, and its command one end', async (point) => {
    await using run = await superviseCommand(command, { crashPoint: point })
    expect(await run.run.wait()).toEqual(expected[point]?.end)
    const { claim } = await run.run.facts()
    expect(claim === undefined).toBe(point === 'supervisor.begun')
    if (claim) expect(await run.leftBehind()).toEqual([])
    expect((await run.output()).includes('ran')).toBe(expected[point]?.hasRun)
  })

  it('does not show its command where it was to die', async () => {
    await using run = await superviseCommand(['/usr/bin/env'], { crashPoint: 'supervisor.exited' })
    await run.run.wait()
    expect(await run.output()).not.toContain('CRASH')
    expect(await run.output()).toContain('IAC_RUN=')
  })

  it('sweeps no group in which nobody is known to be of the run', async () => {
    await using run = await superviseCommand(
      sh('/usr/bin/env -i /bin/sleep 1000 & echo $! >sleeper; until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done'),
      {
        crashPoint: 'supervisor.exited',
      },
    )
    expect(await run.run.wait()).toEqual({ kind: 'exited', exitCode: 0 })
    const pid = Number(await readFile(`${run.directory}/sleeper`, 'utf8'))
    expect(await identityOf(pid)).toBeDefined()
    process.kill(pid, 'SIGKILL')
  })
})
