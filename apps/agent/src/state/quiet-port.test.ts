import { expect, it } from 'vitest'
import { drawQuietPorts, quietPorts } from './quiet-port.js'

it.each([
  ['above the range of the kernel', [32_768, 60_999], [61_000, 65_535]],
  ['below it when little is above', [32_768, 65_000], [20_000, 32_767]],
  ['nowhere when it is wide', [1_024, 65_535], undefined],
] as const)('is %s', (_, [first, last], wanted) => {
  const quiet = quietPorts({ first, last })
  expect(quiet && [quiet.first, quiet.last]).toEqual(wanted)
})

it('is drawn within bounds, and not always the same', () => {
  const ports = drawQuietPorts(50)
  expect(ports.every((port) => port > 1024 && port <= 65_535)).toBe(true)
  expect(ports.length === 0 || new Set(ports).size > 10).toBe(true)
})
