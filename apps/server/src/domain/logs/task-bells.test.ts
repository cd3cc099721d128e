import { describe, expect, it } from 'vitest'
import { TaskBell } from './task-bells.js'

describe('viewers at the same place', () => {
  it('share a read while it runs, not across a ring, and nothing is kept of it', async () => {
    const bell = new TaskBell()
    const reads: (() => void)[] = []
    const look = () => bell.share('0', () => new Promise<number>((resolve) => reads.push(() => resolve(reads.length))))
    const together = [look(), look()]
    expect(reads).toHaveLength(1)
    bell.ring()
    const later = look()
    expect(reads).toHaveLength(2)
    for (const finish of reads) finish()
    await Promise.all([...together, later])
    const again = look()
    expect(reads).toHaveLength(3)
    reads[2]?.()
    await again
  })
})
