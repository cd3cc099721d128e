/** A Markdown page as the tests of the docs need it: its links and the rows of its tables. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { repositoryRoot } from '@iac-agent/testkit'

/** `[text](target)`; the target is a path below the repository's root, outside addresses are left out. */
export interface Link {
  text: string
  target: string
}

/** Path is below the repository's root. */
export async function readPage(path: string): Promise<string> {
  return readFile(join(repositoryRoot(), path), 'utf8')
}

/** Links into the repository. A link to a test file has the test's title as its text. */
export function linksOf(path: string, text: string): Link[] {
  return [...text.matchAll(/\[((?:[^\][]|\[[^\]]*\])+)\]\(([^)\s]+)\)/g)]
    .map(([, label = '', target = '']) => ({ text: label, target }))
    .filter(({ target }) => !/^(https?:|#)/.test(target))
    .map(({ text, target }) => ({ text, target: join(dirname(path), target.split('#')[0] ?? '') }))
}

/** Cells of every table row but heads and rulers; `\|` is a bar inside a cell. */
export function rowsOf(text: string): string[][] {
  const lines = text.split('\n')
  return lines
    .filter((line, index) => line.startsWith('|') && !isRuler(line) && !isRuler(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )
}

/** What is wrong with the links: targets that do not exist, and titles that are in no `it(…)` of their file. */
export async function brokenLinks(links: Link[]): Promise<string[]> {
  const found = await Promise.all(
    links.map(async ({ text, target }) => {
      const file = join(repositoryRoot(), target)
      if (!existsSync(file)) return `${target} does not exist`
      if (!target.endsWith('.test.ts')) return undefined
      return hasTest(await readFile(file, 'utf8'), text) ? undefined : `${target} has no test "${text}"`
    }),
  )
  return found.filter((fault) => fault !== undefined)
}

function hasTest(source: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => {
    const literal = quote + title.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`) + quote
    return new RegExp(`(?:\\b(?:it|test|describe)|\\))\\(\\s*${escaped(literal)}`).test(source)
  })
}

const isRuler = (line: string) => /^\|[\s|:-]+\|$/.test(line)
const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
