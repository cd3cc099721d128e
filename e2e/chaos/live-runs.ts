/** The terraform commands of an agent that are alive now, by what their supervisors say. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommandIdentity } from '@iac-agent/testkit'

/** `attempt` is `<task>-<number>`, `run` such as `apply-1`. */
export interface LiveRun {
  readonly attempt: string
  readonly run: string
  readonly pid: number
}

/** In a steady order. */
export async function liveRuns(dataDir: string): Promise<LiveRun[]> {
  const found: LiveRun[] = []
  for (const attempt of await namesIn(join(dataDir, 'attempts'))) {
    const runs = join(dataDir, 'attempts', attempt, 'run')
    for (const run of await namesIn(runs)) {
      const pid = await livePid(join(runs, run))
      if (pid !== undefined) found.push({ attempt, run, pid })
    }
  }
  return found
}

/** A pid counts only while its process is the one that started then. */
async function livePid(runDir: string): Promise<number | undefined> {
  const [pid = '', start] = (await runCommandIdentity(runDir))?.split(':') ?? []
  const stat = pid === '' ? undefined : await readFile(`/proc/${pid}/stat`, 'utf8').catch(absent)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields?.[0] !== 'Z' && fields?.[19] === start && fields !== undefined ? Number(pid) : undefined
}

async function namesIn(directory: string): Promise<string[]> {
  return ((await readdir(directory).catch(absent)) ?? []).sort()
}

/** What goes away while it is looked at is not alive. */
function absent(cause: NodeJS.ErrnoException): undefined {
  if (['ENOENT', 'ENOTDIR', 'ESRCH'].includes(cause.code ?? '')) return undefined
  throw cause
}
