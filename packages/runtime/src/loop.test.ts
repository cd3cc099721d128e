import { describe, expect, it } from 'vitest'
import { Loop } from './loop.js'

const never = 3_600_000

describe('a loop', () => {
  it('begins at once, goes on when woken, and ends by abort', async () => {
    const stop = new AbortController()
    let passes = 0
    const loop = new Loop({
      everyMs: never,
      body: async () => {
        passes += 1
        if (passes === 3) stop.abort()
        else queueMicrotask(() => loop.wake())
      },
      onError: (err) => expect.unreachable(String(err)),
    })
    await loop.run(stop.signal)
    expect(passes).toBe(3)
  })

  it('passes again when it was woken during a pass', async () => {
    const stop = new AbortController()
    let passes = 0
    const loop = new Loop({
      everyMs: never,
      body: async () => {
        passes += 1
        if (passes === 1) loop.wake()
        else stop.abort()
      },
      onError: () => undefined,
    })
    await loop.run(stop.signal)
    expect(passes).toBe(2)
  })

  it('passes by itself after its interval, also after a pass that threw', async () => {
    const stop = new AbortController()
    const errors: unknown[] = []
    let passes = 0
    const loop = new Loop({
      everyMs: () => 1,
      body: async () => {
        passes += 1
        if (passes < 3) throw new Error(`pass ${passes}`)
        stop.abort()
      },
      onError: (err) => errors.push((err as Error).message),
    })
    await loop.run(stop.signal)
    expect(errors).toEqual(['pass 1', 'pass 2'])
  })

  it('resolves only when the pass under way is over', async () => {
    const stop = new AbortController()
    let isOver = false
    const running = new Loop({
      everyMs: never,
      body: async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        isOver = true
      },
      onError: () => undefined,
    }).run(stop.signal)
    stop.abort()
    await running
    expect(isOver).toBe(true)
  })
})
