/** What a run must not leave behind on an agent's host. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, processesIn, type RunningAgent } from '@iac-agent/testkit'

/** What may stay of an attempt that the server has all of, beside its plan and states: no input, no raw output, no credential. */
const mayStay = [
  'journal.jsonl',
  'spool',
  'states',
  'progress.jsonl',
  'unrecorded.json',
  'plan.json',
  'plan.tar.gz',
  'quarantine',
]

/**
 * Resolves when the agent's claims and terraform processes are gone, and of its attempts only acknowledged ones are kept, stripped of
 * their secrets; throws naming what stays.
 */
export async function nothingLeft({ dataDir }: Pick<RunningAgent, 'dataDir'>): Promise<void> {
  const work = join(dataDir, 'work')
  await eventually('no attempt, claim or process is left', async () => {
    const left = [
      ...(await unfinishedIn(join(dataDir, 'attempts'))),
      ...(await readdir(work)).filter((name) => name.includes('.claim')),
      ...(await processesIn(work)).map((pid) => `process ${pid}`),
    ]
    if (left.length > 0) throw new Error(left.join(', '))
    return true
  })
}

async function unfinishedIn(attempts: string): Promise<string[]> {
  const names = await readdir(attempts)
  return (await Promise.all(names.map((name) => problemsOf(join(attempts, name))))).flat()
}

async function problemsOf(attempt: string): Promise<string[]> {
  const journal = await readFile(join(attempt, 'journal.jsonl'), 'utf8')
  const facts = journal.split('\n').filter((line) => line !== '')
  const said = facts.map((line) => JSON.parse(line) as { fact: string; item?: string })
  const isAcknowledged = said.some(({ fact, item }) => fact === 'delivered' && item === 'status')
  const tooMuch = (await readdir(attempt)).filter((name) => !mayStay.includes(name))
  return [...(isAcknowledged ? [] : [`unfinished ${attempt}`]), ...tooMuch.map((name) => `${attempt}/${name}`)]
}
