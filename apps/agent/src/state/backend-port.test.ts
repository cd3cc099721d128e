import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { firstLentPort, portsToTry } from './backend-port.js'

it('tries ports that no outgoing connection is given, then any', async () => {
  const lent = firstLentPort(await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))
  const ports = await portsToTry()
  expect(ports.at(-1)).toBe(0)
  expect(new Set(ports).size).toBeGreaterThan(5)
  for (const port of ports.slice(0, -1)) {
    expect(port).toBeGreaterThanOrEqual(10_000)
    expect(port).toBeLessThan(lent)
  }
})

it("reads the kernel's range", () => {
  expect([firstLentPort('32768\t60999\n'), firstLentPort(''), firstLentPort('none\n')]).toEqual([32768, 0, 0])
})
