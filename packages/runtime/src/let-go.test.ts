import { expect, it } from 'vitest'
import { letGo } from './let-go.js'

const MiB = 1024 * 1024

it('gives back the memory of buffers that nobody holds, long before V8 would by itself', () => {
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let passed = 0; passed < 200; passed++) {
    Buffer.allocUnsafeSlow(MiB)
    letGo(MiB)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  expect(most).toBeLessThan(16 * MiB)
})
