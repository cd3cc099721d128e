import { expect, it } from 'vitest'
import { countOomKills, oomKillsIn } from './oom-kills.js'

it('reads the count of the kernel', async () => {
  expect(oomKillsIn('oom_kill_other 9\nnr_free_pages 1\noom_kill 3\ndrop_slab 0\n')).toBe(3)
  expect(await countOomKills()).toBeGreaterThanOrEqual(0)
})

it('knows none where the kernel does not count', () => {
  expect(oomKillsIn('nr_free_pages 1\n')).toBeUndefined()
})
