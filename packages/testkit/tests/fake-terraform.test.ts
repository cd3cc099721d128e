import { execa } from 'execa'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fakeConfiguration } from '../src/index.js'
import { type FakeWorld, fakeWorld, kinds } from './_util/fake-world.js'

let world: FakeWorld
beforeAll(async () => {
  world = await fakeWorld()
})
beforeEach(() => world.reset())
afterAll(() => world[Symbol.asyncDispose]())

describe('beside the real terraform', () => {
  it('is the real one where there is no script', async () => {
    const { stdout } = await execa(world.program, ['version'], { cwd: world.work })
    expect(stdout).toMatch(/^Terraform v\d/m)
    expect(await world.oracle()).toEqual([])
  })

  it('tells the same events of an apply', async () => {
    const ours = await eventsOf(fakeConfiguration({ resources: 1 }))
    await world.reset()
    expect(ours).toEqual(await eventsOf(realConfiguration))
    expect(ours.length).toBe(5)
  })

  it('tells the same events when a destroy is applied', async () => {
    const events = async (configuration: string) => {
      await world.planned(configuration)
      await world.apply()
      return await eventsOf(configuration, '-destroy')
    }
    expect(await events(fakeConfiguration({ resources: 1 }))).toEqual(await events(realConfiguration))
  })

  it('leaves a state that the real one understands and empties', async () => {
    await world.planned(fakeConfiguration({ resources: 3 }))
    await world.apply()
    expect(JSON.parse(world.backend.state)).toMatchObject({ serial: 3, lineage: 'here' })
    await world.planned('')
    expect(await world.apply()).toContain('0 added, 0 changed, 3 destroyed.')
    expect(JSON.parse(world.backend.state)).toMatchObject({ resources: [] })
  })

  it('finds nothing to do where the real one has done it, and shows a plan as it does', async () => {
    await world.planned(realConfiguration)
    await world.apply()
    await world.planned(fakeConfiguration({ resources: 1 }))
    const document = JSON.parse(await world.run('show', '-json', '-no-color', 'p')) as Record<string, unknown>
    expect(document).toMatchObject({ format_version: '1.2', applyable: false, resource_changes: [] })
  })
})

it('notes begin and end, each acknowledged state, and a resource before it tells of it', async () => {
  await world.planned(fakeConfiguration({ resources: 2 }))
  const stdout = await world.apply()
  const records = await world.oracle()
  expect(kinds(records)).toEqual([
    ...['begin', 'line', 'end'],
    ...['begin', 'line', 'line', 'line', 'end'],
    ...['begin', 'line', 'posted', 'complete', 'line', 'line', 'posted', 'complete', 'line', 'line', 'end'],
  ])
  const ids = [...stdout.matchAll(/"id_value":"([^"]+)"/g)].map((match) => match[1])
  expect(records.flatMap((one) => (one.kind === 'complete' ? [one.id] : []))).toEqual(ids)
  expect(records.flatMap((one) => (one.kind === 'posted' ? [one.serial] : []))).toEqual([1, 2])
  expect(world.backend.posts).toBe(2)
})

/** Type and text of each event of an apply. */
async function eventsOf(configuration: string, ...flags: string[]): Promise<string[]> {
  await world.planned(configuration, ...flags)
  const events = (await world.apply())
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; '@message': string })
  return events
    .filter(({ type }) => type !== 'outputs')
    .map((event) => `${event.type} ${event['@message'].replace(/id=[0-9a-f-]+/, 'id=…')}`)
}

const realConfiguration = 'resource "terraform_data" "r" {\n  count = 1\n}\n'
