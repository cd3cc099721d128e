import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineCrashPoints } from './crash-point.js'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** Which passes would have killed the process. */
function killedAt(wanted: string | undefined, passes: ('a' | 'b')[]): number[] {
  if (wanted !== undefined) vi.stubEnv('IAC_CRASH_POINT', wanted)
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => true)
  const crashPoint = defineCrashPoints(['a', 'b'])
  return passes.flatMap((name, index) => {
    kill.mockClear()
    crashPoint(name)
    if (kill.mock.calls.length === 0) return []
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGKILL']])
    return [index]
  })
}

describe('a crash point', () => {
  it('kills at the name that the environment says, once, and nowhere without it', () => {
    expect(killedAt('b', ['a', 'b', 'a', 'b'])).toEqual([1])
    expect(killedAt('a#2', ['a', 'b', 'a', 'a'])).toEqual([2])
    expect(killedAt('', ['a', 'b'])).toEqual([])
    expect(killedAt('a#2,b', ['a', 'a', 'b'])).toEqual([1, 2])
  })
})
