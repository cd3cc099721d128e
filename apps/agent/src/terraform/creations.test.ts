import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { readCreations } from './creations.js'

it('reads what began to be created and how it ended', async () => {
  const found = await creationsIn([
    event('planned_change', 'a.planned'),
    event('apply_start', 'a.done'),
    event('apply_start', 'a.broken'),
    event('apply_start', 'module.m["x"].a.running[2]', {}, { module: 'module.m["x"]', resource_key: 2 }),
    'a line of a provisioner {"type":"apply_start","action":"create"}',
    event('apply_progress', 'a.done'),
    event('apply_complete', 'a.done', { id_key: 'id', id_value: 'i-1' }),
    event('apply_errored', 'a.broken'),
    event('apply_start', 'a.old', { action: 'delete', id_key: 'id', id_value: 'i-0' }),
    event('apply_complete', 'a.old', { action: 'delete' }),
    event('apply_start', 'a.changed', { action: 'update', id_key: 'id', id_value: 'i-9' }),
    `${event('apply_start', 'a.torn').slice(0, -30)}`,
  ])
  expect(found).toEqual([
    { address: 'a.done', module: '', type: 'a', name: 'n', key: null, end: 'complete', id: 'i-1' },
    { address: 'a.broken', module: '', type: 'a', name: 'n', key: null, end: 'errored', id: undefined },
    {
      address: 'module.m["x"].a.running[2]',
      module: 'module.m["x"]',
      type: 'a',
      name: 'n',
      key: 2,
      end: undefined,
      id: undefined,
    },
  ])
})

it('takes for an id only what terraform calls so', async () => {
  const found = await creationsIn([
    event('apply_start', 'a.named'),
    event('apply_complete', 'a.named', { id_key: 'name', id_value: 'n-1' }),
    event('apply_start', 'a.silent'),
    event('apply_complete', 'a.silent'),
  ])
  expect(found.map(({ end, id }) => ({ end, id }))).toEqual([
    { end: 'complete', id: undefined },
    { end: 'complete', id: undefined },
  ])
})

it('begins where the command begins', async () => {
  const before = event('apply_start', 'a.before')
  const found = await creationsIn([before, event('apply_start', 'a.after')], before.length + 1)
  expect(found.map(({ address }) => address)).toEqual(['a.after'])
})

async function creationsIn(lines: string[], from = 0) {
  await using directory = await temporaryDirectory('output')
  const path = join(directory.path, 'output')
  await writeFile(path, lines.join('\n'))
  return await readCreations({ path, from })
}

function event(type: string, addr: string, hook: object = {}, resource: object = {}): string {
  const names = { addr, module: '', resource_type: 'a', resource_name: 'n', resource_key: null, ...resource }
  const head = { '@level': 'info', '@message': 'm', '@timestamp': '2026-01-01T00:00:00Z' }
  return JSON.stringify({ ...head, hook: { resource: names, action: 'create', ...hook }, type })
}
