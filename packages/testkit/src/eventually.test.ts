import { expect, it } from 'vitest'
import { eventually } from './eventually.js'

it('answers the first truthy value, however often the check threw before', async () => {
  let looks = 0
  const found = await eventually(
    'the third look',
    () => {
      looks++
      if (looks === 1) throw new Error('not yet')
      return looks === 3 ? 'here' : undefined
    },
    { everyMs: 1 },
  )
  expect(found).toBe('here')
})

it('says what it waited for, and the last fault, when the time is over', async () => {
  const wait = eventually('rain', () => Promise.reject(new Error('still dry')), { timeoutMs: 5, everyMs: 1 })
  await expect(wait).rejects.toThrow('waited 5 ms in vain for: rain (Error: still dry)')
})
