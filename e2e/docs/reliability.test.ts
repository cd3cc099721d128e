import * as protocol from '@iac-agent/protocol'
import { expect, it } from 'vitest'
import { brokenLinks, linksOf, readPage, rowsOf } from './page.js'

const path = 'docs/reliability.md'
const promises = [
  'Nothing is lost',
  'Nothing counts twice',
  'Nothing is left behind',
  'The agent may die; the run may not',
  'The agent costs nothing',
  'Waiting is explained',
]

it('names for each promise and each pending_reason a test that exists', async () => {
  const rows = rowsOf(await readPage(path))
  const words = [...promises.map((promise, index) => `${index + 1}. ${promise}`), ...codes()]
  expect(words).toHaveLength(promises.length + protocol.PendingCode.enum.length)
  for (const word of words) {
    const links = rows.filter(([first]) => first === word).flatMap((cells) => linksOf(path, cells.slice(1).join(' ')))
    expect(links.filter(({ target }) => target.endsWith('.test.ts')).length, word).toBeGreaterThan(0)
    expect(await brokenLinks(links), word).toEqual([])
  }
})

it('has no row of a promise or reason that nobody makes', async () => {
  const rows = rowsOf(await readPage(path)).map(([first = '']) => first)
  const known = [...promises.map((promise, index) => `${index + 1}. ${promise}`), ...codes()]
  expect(rows.filter((first) => /^(\d\. |`[a-z_]+`$)/.test(first) && !known.includes(first))).toEqual([])
})

function codes(): string[] {
  return protocol.PendingCode.enum.map((code) => `\`${code}\``)
}
