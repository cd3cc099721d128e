import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as protocol from '@iac-agent/protocol'
import { repositoryRoot } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { brokenLinks, linksOf, readPage, rowsOf } from './page.js'
import { seedWords } from './seed-words.js'

const pages = ['README.md', 'CONTRIBUTING.md', 'examples/README.md']
for (const name of await readdir(join(repositoryRoot(), 'docs'))) if (name.endsWith('.md')) pages.push(`docs/${name}`)

describe('the pages', () => {
  it.each(pages)('link to files that exist and to tests that have the title: %s', async (path) => {
    const links = linksOf(path, await readPage(path))
    expect(await brokenLinks(links)).toEqual([])
  })

  it('tell a missing file and a missing test from ones that are there', async () => {
    const here = 'e2e/docs/pages.test.ts'
    const page = `[x](../nothing.ts) [no such test](${here}) [tell a missing file and a missing test from ones that are there](${here})`
    expect(await brokenLinks(linksOf('README.md', page))).toEqual([
      '../nothing.ts does not exist',
      `${here} has no test "no such test"`,
    ])
  })
})

describe('docs/protocol.md', () => {
  it('has a row for each endpoint, as its contract says', async () => {
    const rows = rowsOf(await readPage('docs/protocol.md')).map((cells) => cells.join(' | '))
    const contracts = endpoints().map(
      ({ method, path, audience, summary }) => `${method} | \`${path}\` | ${audience} | ${summary}`,
    )
    expect(contracts.length).toBeGreaterThan(50)
    expect(contracts.filter((row) => !rows.includes(row))).toEqual([])
    const documented = rows.filter((row) => /^(GET|POST|PUT|PATCH|DELETE) \|/.test(row))
    expect(documented.filter((row) => !contracts.includes(row))).toEqual([])
  })

  it('names each message', async () => {
    const page = await readPage('docs/protocol.md')
    const types = [...Object.keys(protocol.agentMessageSchemas), ...Object.keys(protocol.serverMessageSchemas)]
    expect(types.filter((type) => !page.includes(`\`${type}\``))).toEqual([])
  })
})

describe('docs/errors.md', () => {
  it('has a row with a test for each error code of answers and of tasks', async () => {
    const rows = rowsOf(await readPage('docs/errors.md'))
    const codes = [...protocol.errorCodes, ...protocol.TaskErrorCode.enum]
    const proven = rows.filter((cells) =>
      linksOf('docs/errors.md', cells.at(-1) ?? '').some(({ target }) => target.endsWith('.test.ts')),
    )
    expect(codes.filter((code) => !proven.some((cells) => cells[1]?.includes(`\`${code}\``)))).toEqual([])
    expect(rows.filter((cells) => !proven.includes(cells))).toEqual([])
  })
})

describe('docs/seed.md', () => {
  it('has a row with file and test for each word of the seed', async () => {
    const rows = rowsOf(await readPage('docs/seed.md'))
    for (const [kind, words] of Object.entries(seedWords)) {
      const missing = words.filter((word) => !rows.some((cells) => cells[0] === word && hasFileAndTest(cells)))
      expect(missing, kind).toEqual([])
    }
  })
})

describe('docs/operations.md', () => {
  it.each(['server', 'agent'])('names each setting of the %s', async (name) => {
    const page = await readPage('docs/operations.md')
    const bin = join(repositoryRoot(), `apps/${name}/bin/iac-${name}.js`)
    const { stdout } = await execa(process.execPath, [bin, 'start', '--help'])
    const flags = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag = '']) => flag)
    expect(flags.length).toBeGreaterThan(10)
    expect(flags.filter((flag) => !page.includes(`\`${flag}`))).toEqual([])
  })
})

function hasFileAndTest(cells: string[]): boolean {
  const links = cells.slice(1).flatMap((cell) => linksOf('docs/seed.md', cell))
  return (
    links.some(({ target }) => !target.endsWith('.test.ts')) && links.some(({ target }) => target.endsWith('.test.ts'))
  )
}

/** Some groups hold contracts, others hold groups. */
function endpoints(): protocol.Endpoint[] {
  const groups = Object.entries(protocol).filter(([name]) => name.endsWith('Endpoints'))
  const members: object[] = groups.flatMap(([, group]) => Object.values(group))
  return members.filter((member): member is protocol.Endpoint => 'audience' in member)
}
