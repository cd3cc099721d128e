import { expect, it } from 'vitest'
import { inTime } from './body-limit.js'

it('settles as the body does', async () => {
  await expect(inTime(Promise.resolve(1))).resolves.toBe(1)
  await expect(inTime(Promise.reject(new Error('no')))).rejects.toThrow('no')
})

it('cuts off a body that waits for something that never comes', async () => {
  await expect(inTime(new Promise(() => {}), 5)).rejects.toMatchObject({ code: 'store_failed' })
})
