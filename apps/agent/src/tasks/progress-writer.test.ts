import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { compileRedaction } from '../logs/redactor.js'
import { ProgressWriter } from './progress-writer.js'

let home: TemporaryDirectory
let path: string
beforeEach(async () => {
  home = await temporaryDirectory('progress')
  path = join(home.path, 'progress.jsonl')
})
afterEach(async () => await home[Symbol.asyncDispose]())

const event = (type: string, address: string, extra: object = {}) =>
  JSON.stringify({
    '@level': 'info',
    '@message': type,
    '@timestamp': '2026-01-01T00:00:00Z',
    type,
    hook: { resource: { addr: address }, action: 'create', ...extra },
  })

/** Takes lines as an apply prints them, read at once, from the offset 0 on; answers how often it was told of something new. */
async function take(lines: readonly string[]): Promise<number> {
  let told = 0
  {
    using writer = await ProgressWriter.open(path, compileRedaction(['hush-hush']), () => told++)
    let offset = 0
    for (const line of lines) {
      writer.take(line, offset)
      offset += Buffer.byteLength(line) + 1
    }
  }
  return told
}

const written = async () =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { address: string; status: string; id?: string })

const lines = [
  'Initializing…',
  event('apply_start', 'a.one'),
  event('apply_progress', 'a.one', { elapsed_seconds: 10 }),
  event('apply_complete', 'a.one', { id_value: 'id of hush-hush', elapsed_seconds: 11 }),
]

it('writes a report for each event that moves a resource, without secrets', async () => {
  expect(await take(lines)).toBe(1)
  expect(await written()).toMatchObject([
    { address: 'a.one', status: 'running' },
    { address: 'a.one', status: 'complete', id: 'id of [redacted]' },
  ])
})

it('writes nothing twice when lines come again after a crash', async () => {
  await take(lines.slice(0, 2))
  expect(await take(lines)).toBe(1)
  expect(await take(lines)).toBe(0)
  expect((await written()).map(({ status }) => status)).toEqual(['running', 'complete'])
})
