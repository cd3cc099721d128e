import { expect, it } from 'vitest'
import { BodyLimit } from './body-limit.js'

it('settles as the body does', async () => {
  const limit = new BodyLimit()
  await expect(limit.inTime(Promise.resolve(1))).resolves.toBe(1)
  await expect(limit.inTime(Promise.reject(new Error('no')))).rejects.toThrow('no')
})

it('cuts off a body that waits for something that never comes', async () => {
  const limit = new BodyLimit(5)
  const never = new Promise(() => {})
  await expect(limit.inTime(never)).rejects.toMatchObject({ code: 'store_failed' })
  await limit.inTime(Promise.resolve())
  await expect(limit.inTime(never)).rejects.toMatchObject({ code: 'store_failed' })
})
