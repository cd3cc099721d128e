/** Removes attempt directories that were kept for a person and have been looked at long enough. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@iac-agent/runtime'
import { has } from '../journal/attempt-facts.js'
import { readJournal } from '../journal/journal.js'
import { attemptLayoutAt, type DataLayout } from '../journal/layout.js'
import { isAbandoned } from '../tasks/next-step.js'

const keepMs = 24 * 60 * 60 * 1000

/** Removes what is over, holds something the server refused, and is older than a day. */
export async function sweepExpired(data: DataLayout, now: number, log: Logger): Promise<void> {
  for (const name of await readdir(data.attempts)) {
    const layout = attemptLayoutAt(join(data.attempts, name))
    const facts = await readJournal(layout.journal).catch((error: unknown) => {
      log.debug({ err: error, attempt: name }, 'attempt cannot be read') // recovery says so aloud
      return []
    })
    const newest = Date.parse(facts.at(-1)?.at ?? '')
    const isKept = isAbandoned(facts) || (has(facts, 'outcome') && has(facts, 'refused'))
    if (!isKept || !(now - newest > keepMs)) continue
    log.info({ attempt: name }, 'kept attempt expired')
    await rm(layout.root, { recursive: true, force: true })
  }
}
