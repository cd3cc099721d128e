import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JsonScalars } from './json-scalars.js'
import { type RecordedInstance, readInstances } from './recorded-instances.js'

const state = {
  version: 4,
  outputs: {
    resources: { value: { instances: [{ attributes: { id: 'an output' } }] } },
    'a "}] \\': { value: [[], {}, -1.5e3] },
  },
  resources: [
    resource({ name: 'one' }, [
      { attributes: { id: 'i-1', text: '}]",\\"id":"no"', nested: { id: 'deep' }, list: [[]] } },
    ]),
    resource({ name: 'many', module: 'module.m["a.b"]' }, [
      { index_key: 'k"1\n', attributes: { other: 1, id: 'i-2' } },
      { index_key: 3, attributes: { id: 42 } },
      { index_key: 3, deposed: 'abcd1234', attributes: { id: 'i-old' } },
    ]),
    resource({ name: 'without' }, [{ attributes: { id: null } }, { attributes_flat: { id: 'flat' } }]),
    resource({ name: 'seen', mode: 'data' }, [{ attributes: { id: 'data' } }]),
    resource({ name: 'none' }, []),
    { instances: [{ attributes: { id: 'i-3' }, schema_version: 0 }], name: 'last', type: 't', mode: 'managed' },
  ],
  check_results: null,
}

const expected: RecordedInstance[] = [
  { module: '', type: 't', name: 'one', key: null, id: 'i-1' },
  { module: 'module.m["a.b"]', type: 't', name: 'many', key: 'k"1\n', id: 'i-2' },
  { module: 'module.m["a.b"]', type: 't', name: 'many', key: 3, id: '42' },
  { module: 'module.m["a.b"]', type: 't', name: 'many', key: 3, id: 'i-old' },
  { module: '', type: 't', name: 'without', key: null, id: undefined },
  { module: '', type: 't', name: 'without', key: null, id: undefined },
  { module: '', type: 't', name: 'last', key: null, id: 'i-3' },
]

it.each([undefined, 2])('tells the instances of managed resources with their ids (indented by %s)', async (indent) => {
  expect(await instancesIn(JSON.stringify(state, null, indent))).toEqual(expected)
})

it('tells none of a state without resources, and rejects what is no JSON', async () => {
  expect(await instancesIn('{"version":4,"resources":[]}')).toEqual([])
  const torn = '{"resources":[{"name":"a\\q","instances":[]}]}'
  await expect(instancesIn(torn)).rejects.toThrow(SyntaxError)
})

it('walks a text to the same values however it is cut', () => {
  const bytes = Buffer.from(JSON.stringify(state, null, 1))
  const cuts = fc.uniqueArray(fc.nat({ max: bytes.length }), { maxLength: 40 })
  const whole = scalarsOf([bytes])
  expect(whole).toContainEqual(['resources.0.name', 'one'])
  expect(whole).toContainEqual(['outputs.a "}] \\.value.2', -1500])
  fc.assert(
    fc.property(cuts, (places) => {
      const at = [0, ...places.sort((one, other) => one - other), bytes.length]
      const pieces = at.slice(1).map((end, n) => bytes.subarray(at[n], end))
      expect(scalarsOf(pieces)).toEqual(whole)
    }),
  )
})

/** Every scalar to depth 8. */
function scalarsOf(pieces: Buffer[]): [string, unknown][] {
  const found: [string, unknown][] = []
  const scalars = new JsonScalars({
    deepest: 8,
    wants: () => true,
    take: (path, value) => found.push([path.join('.'), value]),
  })
  for (const piece of pieces) scalars.push(piece)
  return found
}

async function instancesIn(text: string): Promise<RecordedInstance[]> {
  await using directory = await temporaryDirectory('state')
  const path = join(directory.path, 'a.tfstate')
  await writeFile(path, text)
  const instances: RecordedInstance[] = []
  await readInstances(path, (instance) => instances.push(instance))
  return instances
}

function resource(names: object, instances: object[]): object {
  const written = instances.map((instance) => ({ ...instance, schema_version: 0, sensitive_attributes: [] }))
  return { mode: 'managed', type: 't', ...names, provider: 'provider["x"]', instances: written }
}
