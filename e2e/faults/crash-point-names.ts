/** The named instants at which the built agent can be killed, read from its source: a new one is tested without being listed twice. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '@iac-agent/testkit'

/** Every crash point of the agent, in the order of a task's life. */
export async function crashPointNames(): Promise<string[]> {
  const source = await readFile(join(repositoryRoot(), 'apps/agent/src/journal/crash-points.ts'), 'utf8')
  const names = [...source.matchAll(/^ {2}'([a-z_.]+)',$/gm)].map(([, name = '']) => name)
  if (names.length === 0) throw new Error('no crash points found: has the file another form?')
  return names
}
