/** One terraform command under supervise.sh, which outlives this agent process: waits for it and signals it by verified identity. */
import { isAlive } from '../journal/process-identity.js'
import { DirectoryWatch } from './directory-watch.js'
import { OrphanGroup } from './orphan-group.js'
import { notStartedCode, type RunFacts, readRun } from './run-facts.js'

/** How a run ended. */
export type RunEnd =
  /** The command ended with this code (128 + n: by signal n) and its group is swept. */
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** The command never ran. */
  | { readonly kind: 'not_started' }
  /** The supervisor was killed: the command has ended, its code is unknown; its group is swept. */
  | { readonly kind: 'lost' }

/** While nothing happens a supervisor that was killed is noticed this late. */
const livenessMs = 1000
/** After the exit code the group is swept, which takes 2 s at most and gives no event. */
const sweepMs = 25

/** A run that this process or an earlier one started. */
export class SupervisedRun {
  /** what a killed supervisor left, once it is known to be dead */
  #orphans: OrphanGroup | undefined

  /** @param supervisorEnded the exit code of a supervisor that is our child; an adopted one is watched through /proc */
  constructor(
    readonly runDir: string,
    private readonly supervisorEnded?: Promise<number | undefined>,
  ) {}

  facts(): Promise<RunFacts> {
    return readRun(this.runDir)
  }

  /**
   * Resolves when the command has ended and nobody is left in its group.
   * @throws the signal's reason when it is aborted; the run itself goes on
   */
  async wait(signal?: AbortSignal): Promise<RunEnd> {
    return (await this.#cleanEnd(signal)) ?? this.until((isSupervisorOver) => this.#end(isSupervisorOver), signal)
  }

  /** Our own child's word is enough: it ends with 0 once it has seen its group empty. Undefined: it did not end so, or is not ours. */
  async #cleanEnd(signal?: AbortSignal): Promise<RunEnd | undefined> {
    if (this.supervisorEnded === undefined) return undefined
    if ((await abortable(this.supervisorEnded, signal)) !== 0) return undefined
    const { pid, exitCode } = await this.facts()
    return exitCode === undefined ? undefined : endOf(pid !== undefined, exitCode)
  }

  /** Sends ONE SIGINT to the command; false when it has ended already. Two of them make terraform lose what is in flight. */
  interrupt(signal?: AbortSignal): Promise<boolean> {
    return this.send('SIGINT', signal)
  }

  /** SIGKILLs the command alone: its supervisor stays, records 137 and sweeps. False when it has ended already. */
  kill(signal?: AbortSignal): Promise<boolean> {
    return this.send('SIGKILL', signal)
  }

  private async send(name: NodeJS.Signals, signal?: AbortSignal): Promise<boolean> {
    // Just after the start there may be no pid yet: wait for it, or for the news that there will be none.
    const target = await this.until(async (isSupervisorOver) => {
      const { pid } = await this.facts()
      return pid ?? (await this.#end(isSupervisorOver))
    }, signal)
    return 'pid' in target && (await isAlive(target)) && kill(target.pid, name)
  }

  /** Asks `look` now and at each change, until it has an answer. */
  private async until<T>(
    look: (isSupervisorOver: boolean) => Promise<T | undefined>,
    signal?: AbortSignal,
  ): Promise<T> {
    let isOver = false
    const over = this.supervisorEnded?.then(() => {
      isOver = true
    })
    using watch = new DirectoryWatch(this.runDir)
    for (;;) {
      const answer = await look(isOver)
      if (answer !== undefined) return answer
      const isSweeping = this.#orphans !== undefined || (await this.facts()).exitCode !== undefined
      await watch.next(isSweeping ? sweepMs : livenessMs, signal, isOver ? undefined : over)
    }
  }

  /** Undefined while it runs. `isSupervisorOver`: our own child was reaped before this look. */
  async #end(isSupervisorOver: boolean): Promise<RunEnd | undefined> {
    const { claim } = await this.facts()
    if (claim === undefined) return isSupervisorOver ? { kind: 'not_started' } : undefined
    if (await isAlive(claim)) return undefined
    const { pid, exitCode } = await this.facts() // read after its writer's death: these are final
    if (exitCode === undefined && pid !== undefined && (await isAlive(pid))) return undefined // killed too early: unwatched
    const orphans = new OrphanGroup(this.runDir, claim)
    // A shell between claim and pid is about to run the command: its pid will tell.
    if (exitCode === undefined && pid === undefined && (await orphans.hasMembers())) return undefined
    this.#orphans ??= orphans
    if (!(await this.#orphans.isSwept())) return undefined
    if (exitCode === undefined) return { kind: pid === undefined ? 'not_started' : 'lost' }
    return endOf(pid !== undefined, exitCode)
  }
}

function endOf(hasPid: boolean, exitCode: number): RunEnd {
  return !hasPid && exitCode === notStartedCode ? { kind: 'not_started' } : { kind: 'exited', exitCode }
}

/** @throws the signal's reason when it is aborted first */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort))
  })
}

function kill(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return false // it ended just now
    throw cause
  }
}
