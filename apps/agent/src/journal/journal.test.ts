import { appendFile, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type TemporaryDirectory, temporaryDirectory } from '@iac-agent/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Journal, readJournal } from './journal.js'

let home: TemporaryDirectory
let path: string
beforeEach(async () => {
  home = await temporaryDirectory('journal')
  path = join(home.path, 'attempt', 'journal.jsonl')
})
afterEach(async () => await home[Symbol.asyncDispose]())

it('gives back what was appended, in order, to the next process', async () => {
  {
    await using journal = await Journal.open(path)
    await Promise.all([
      journal.append({ fact: 'initSkipped' }),
      journal.append({ fact: 'planRestored' }),
      journal.append({ fact: 'released' }),
    ])
  }
  await using again = await Journal.open(path)
  expect(again.facts.map(({ fact }) => fact)).toEqual(['initSkipped', 'planRestored', 'released'])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

it('has each fact in the file once it is appended, whatever becomes of this process', async () => {
  await using journal = await Journal.open(path)
  await journal.append({ fact: 'initSkipped' }) // may be done again: fsynced with the next that may not
  expect((await readJournal(path)).map(({ fact }) => fact)).toEqual(['initSkipped'])
  await journal.append({ fact: 'released' })
  expect((await readJournal(path)).map(({ fact }) => fact)).toEqual(['initSkipped', 'released'])
})

it('forgets a torn last line, wherever it was torn, and goes on after the last whole one', async () => {
  {
    await using journal = await Journal.open(path)
    await journal.append({ fact: 'initSkipped' })
    await journal.append({ fact: 'released' })
  }
  const whole = await readFile(path)
  const firstLine = whole.indexOf('\n') + 1
  for (let size = firstLine; size < whole.length; size += 7) {
    await truncate(path, size)
    expect((await readJournal(path)).map(({ fact }) => fact)).toEqual(['initSkipped'])
    {
      await using journal = await Journal.open(path)
      await journal.append({ fact: 'released' })
    }
    expect((await readJournal(path)).map(({ fact }) => fact)).toEqual(['initSkipped', 'released'])
  }
})

it('tells its watchers of each durable fact until they stop', async () => {
  await using journal = await Journal.open(path)
  const seen: string[] = []
  const stop = journal.watch(({ fact }) => seen.push(fact))
  await journal.append({ fact: 'initSkipped' })
  stop()
  await journal.append({ fact: 'released' })
  expect(seen).toEqual(['initSkipped'])
})

it('refuses a line that is no fact, naming file and line', async () => {
  await using journal = await Journal.open(path)
  await journal.append({ fact: 'initSkipped' })
  await appendFile(path, '{"fact":"nonsense","at":"now"}\n')
  await expect(readJournal(path)).rejects.toThrow(`${path}:2`)
})

it('has no facts where there is no file', async () => {
  expect(await readJournal(path)).toEqual([])
})
