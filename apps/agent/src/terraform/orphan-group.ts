/** The group of a supervisor that was killed: swept in its place, as supervise.sh does at the end of a run. */
import { readFile } from 'node:fs/promises'
import { pause } from '@iac-agent/runtime'
import { identityOf, type ProcessIdentity } from '../journal/process-identity.js'
import { groupMembers } from './process-group.js'

/** In the environment of everything a run starts; its value is the run's directory. By it a run's processes are known. */
export const runMark = 'IAC_RUN'

/** Between SIGTERM and SIGKILL. */
const graceMs = 2000
/** In the middle of an exec a process shows no environment. */
const execMs = 20

export class OrphanGroup {
  #askedAt: number | undefined

  constructor(
    private readonly runDir: string,
    /** the supervisor; dead */
    private readonly leader: ProcessIdentity,
  ) {}

  /**
   * Answers whether nobody of the group is left; otherwise asks who is to end, and kills after a grace. Never signals a group in
   * which nobody carries the run's mark: the number may be another one's by now.
   */
  async isSwept(): Promise<boolean> {
    if (!(await this.#isTheRuns())) return true
    if (this.#askedAt === undefined) {
      this.#askedAt = performance.now()
      signal(this.leader.pid, 'SIGTERM')
    } else if (performance.now() - this.#askedAt > graceMs) signal(this.leader.pid, 'SIGKILL')
    return false
  }

  /** Whether somebody is in the group, the run's or not. */
  async hasMembers(): Promise<boolean> {
    return (await this.#members()).length > 0
  }

  async #isTheRuns(): Promise<boolean> {
    for (let look = 0; look < 2; look++) {
      const pids = await this.#members()
      if (pids.length === 0) return false
      const marks = await Promise.all(pids.map((pid) => isMarked(pid, this.runDir)))
      if (marks.includes(true)) return true
      await pause(execMs)
    }
    return false
  }

  /** While a group has members its number is no new process's: one of that number says that the group is over. */
  async #members(): Promise<number[]> {
    const self = await identityOf(process.pid)
    if (self?.boot !== this.leader.boot || (await identityOf(this.leader.pid)) !== undefined) return []
    return groupMembers(this.leader.pid)
  }
}

async function isMarked(pid: number, runDir: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').includes(`${runMark}=${runDir}`)
  } catch {
    return false // it ended just now, or is another user's: not known to be ours
  }
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause // it ended just now
  }
}
