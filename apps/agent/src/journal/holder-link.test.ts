import { readdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { holderOf, holdPlace } from './holder-link.js'

const isAlive = async (text: string) => text.startsWith('alive')

it('is never held by two, while holders come, go and die', async () => {
  await using home = await temporaryDirectory('holder')
  const prefix = join(home.path, 'place')
  let holders = 0
  let held = 0
  const come = async (who: number) => {
    for (let round = 0; round < 20; round++) {
      const holding = await holdPlace(prefix, `alive ${who}`, isAlive)
      if (!holding.isOurs) continue
      expect(++holders).toBe(1)
      held++
      if (round % 3 === 0) await symlink(`dead ${who}`, `${prefix}.${who}-${round}`)
      expect(holders--).toBe(1)
      await rm(holding.path)
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, who) => come(who)))
  expect(held).toBeGreaterThan(0)
  expect(await holderOf(prefix, isAlive)).toBeUndefined()
})

it('goes to one of many that find only dead ones', async () => {
  await using home = await temporaryDirectory('holder')
  const prefix = join(home.path, 'place')
  for (let round = 0; round < 30; round++) {
    await symlink('dead', `${prefix}.${round}`)
    const all = await Promise.all(Array.from({ length: 8 }, (_, who) => holdPlace(prefix, `alive ${who}`, isAlive)))
    const ours = all.filter((holding) => holding.isOurs)
    expect(ours).toHaveLength(1)
    expect(await readdir(home.path)).toHaveLength(1)
    for (const { path } of ours) await rm(path)
  }
})

it('does not touch what only begins like it', async () => {
  await using home = await temporaryDirectory('holder')
  await symlink('alive', join(home.path, 'place2.x'))
  const holding = await holdPlace(join(home.path, 'place'), 'alive', isAlive)
  expect(holding.isOurs).toBe(true)
})
