/** The named instants at which the built programs can be killed, read from their sources: a new one is tested without being listed twice. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '@iac-agent/testkit'

/** Every crash point of the agent, in the order of a task's life; and those of a command's supervisor. */
export async function agentCrashPointNames(): Promise<{ agent: string[]; supervisor: string[] }> {
  const names = await namesIn('apps/agent/src/journal/crash-points.ts')
  return {
    agent: names.filter((name) => !name.startsWith('supervisor.')),
    supervisor: names.filter((name) => name.startsWith('supervisor.')),
  }
}

/** The server's transactions, and its steps on files. */
export async function serverCrashPointNames(): Promise<{ transactions: string[]; fileSteps: string[] }> {
  const names = await namesIn('apps/server/src/store/crash-points.ts')
  return {
    transactions: names.filter((name) => !name.includes('.')),
    fileSteps: names.filter((name) => name.includes('.')),
  }
}

async function namesIn(path: string): Promise<string[]> {
  const source = await readFile(join(repositoryRoot(), path), 'utf8')
  const names = [...source.matchAll(/^ {2}'([a-z_.]+)',$/gm)].map(([, name = '']) => name)
  if (names.length === 0) throw new Error(`no crash points found in ${path}: has the file another form?`)
  return names
}
