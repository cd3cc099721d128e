import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openClock, systemClock } from './clock.js'

let home: string
let file: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'iac-clock-'))
  file = join(home, 'offset')
})
afterEach(() => rmSync(home, { recursive: true }))

/** Within a second of `expected`: what a slow machine takes between two readings is not what is tested. */
function expectAbout(value: number, expected: number): void {
  expect(Math.abs(value - expected)).toBeLessThan(1_000)
}

const hour = 3_600_000

describe('a clock', () => {
  it('is the wall clock of the host, and counts its own time from there in whole milliseconds', () => {
    expectAbout(systemClock.now(), Date.now())
    expectAbout(systemClock.monotonic(), Date.now())
    expect(Number.isInteger(systemClock.monotonic())).toBe(true)
  })

  it('is set forward and back by its file, without its own time moving', () => {
    const clock = openClock(file)
    expectAbout(clock.now(), Date.now())
    for (const offset of [hour, -hour, 0]) {
      writeFileSync(file, `${offset}\n`)
      expectAbout(clock.now(), Date.now() + offset)
      expectAbout(clock.monotonic(), Date.now())
    }
  })

  it('counts its own time from the wall clock it found', () => {
    writeFileSync(file, String(-hour))
    const clock = openClock(file)
    rmSync(file)
    expectAbout(clock.monotonic(), Date.now() - hour)
    expectAbout(clock.now(), Date.now())
  })

  it('refuses a file that says something else', () => {
    writeFileSync(file, 'tomorrow')
    expect(() => openClock(file)).toThrow('IAC_CLOCK_OFFSET_FILE holds "tomorrow"')
  })
})
