import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eventually, processesIn, startChild, temporaryDirectory } from '../src/index.js'

const ready = `process.stderr.write('plain words\\n' + JSON.stringify({ msg: 'ready', url: 'u' }) + '\\n')`

it('gives a child its environment only, reads its records, and ends it', async () => {
  await using home = await temporaryDirectory('child')
  const child = start(
    home.path,
    `${ready}; process.stderr.write(Object.keys(process.env).join() + '\\n'); setInterval(() => {}, 1000)`,
  )
  expect(await child.waitForLine('ready')).toEqual({ msg: 'ready', url: 'u' })
  await eventually('it said its environment', () => child.log.text.includes('ONLY'))
  expect(child.log.text).toMatch(/^ONLY$/m)
  expect(await processesIn(home.path)).toEqual([child.pid])
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' })
  expect(await processesIn(home.path)).toEqual([])
})

it('does not take the ready line of an earlier run for its own', async () => {
  await using home = await temporaryDirectory('child')
  const first = start(home.path, ready)
  await first.waitForLine('ready')
  await first.exited
  const second = start(home.path, 'process.exitCode = 3')
  await expect(second.waitForLine('ready')).rejects.toThrow('ended (exit code 3) before "ready"')
})

it('says how a program ended that is not there', async () => {
  await using home = await temporaryDirectory('child')
  const child = startChild({
    command: [join(home.path, 'absent')],
    cwd: home.path,
    env: {},
    logFile: join(home.path, 'log'),
  })
  expect(await child.exited).toEqual({ code: null, signal: null })
})

function start(home: string, script: string) {
  return startChild({
    command: [process.execPath, '-e', script],
    cwd: home,
    env: { ONLY: '1' },
    logFile: join(home, 'log'),
  })
}
