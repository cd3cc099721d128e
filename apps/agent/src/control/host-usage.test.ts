import { describe, expect, it } from 'vitest'
import { HostUsage } from './host-usage.js'

describe('the usage of the host', () => {
  it('shows a CPU that this process keeps busy', () => {
    const usage = new HostUsage()
    usage.sample()
    const until = performance.now() + 300
    while (performance.now() < until) Math.sqrt(until)
    const { cpu_usage, mem_usage } = usage.sample()
    expect(cpu_usage).toBeGreaterThan(0)
    expect(cpu_usage).toBeLessThanOrEqual(100)
    expect(mem_usage).toBeGreaterThan(0)
    expect(mem_usage).toBeLessThan(100)
  })
})
