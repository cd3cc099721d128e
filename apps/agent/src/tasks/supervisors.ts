/** Supervisors of attempts' commands: begun ahead, so that an order finds one that is up and in its cgroup. */
import { mkdir } from 'node:fs/promises'
import { type Command, commandOf, nextRunName } from '../journal/attempt-facts.js'
import { crashPoint, supervisorCrashPoint } from '../journal/crash-points.js'
import { runDirectory } from '../journal/layout.js'
import { makeCgroup } from '../terraform/cgroup.js'
import { Standby } from '../terraform/standby.js'
import type { Attempt } from './attempt.js'

/** With more the host is busy, and what is begun early only holds up the others. */
const mostStanding = 2

interface Standing {
  readonly run: string
  /** undefined when it could not be begun */
  readonly supervisor: Promise<Standby | undefined>
}

export class Supervisors {
  readonly #standing = new Map<Attempt, Standing>()

  /**
   * @param script path of supervise.sh
   * @param cgroup where each run gets a cgroup of its own; undefined where this agent may make none
   */
  constructor(
    private readonly script: string,
    private readonly cgroup: string | undefined,
  ) {}

  /**
   * Begins the supervisor of the attempt's next run of `command`, unless one stands by, or others do. What fails here is tried again
   * when it is needed.
   */
  standBy(attempt: Attempt, command: Command): void {
    const { journal, log } = attempt.parts
    if (this.#standing.has(attempt) || this.#standing.size >= mostStanding) return
    const run = nextRunName(journal.facts, command)
    const supervisor = this.#begin(attempt, run).catch((err: unknown) => {
      log.warn({ err, run }, 'no supervisor stands by')
      return undefined
    })
    this.#standing.set(attempt, { run, supervisor })
  }

  /** The supervisor of `run`: the one that stands by, else a new one; one that was meant for another run is dismissed. */
  async take(attempt: Attempt, run: string): Promise<Standby> {
    if (this.#standing.get(attempt)?.run !== run) {
      const [supervisor] = await Promise.all([this.#begin(attempt, run), this.dismiss(attempt)])
      return supervisor
    }
    return (await this.#withdraw(attempt)?.supervisor) ?? (await this.#begin(attempt, run))
  }

  /** No order of the attempt will come: idempotent. */
  async dismiss(attempt: Attempt): Promise<void> {
    await (await this.#withdraw(attempt)?.supervisor)?.dismiss()
  }

  #withdraw(attempt: Attempt): Standing | undefined {
    const standing = this.#standing.get(attempt)
    this.#standing.delete(attempt)
    return standing
  }

  async #begin(attempt: Attempt, run: string): Promise<Standby> {
    const runDir = runDirectory(attempt.parts.layout, run)
    await mkdir(runDir, { recursive: true, mode: 0o700 })
    // A reading of a plan starts nothing that could stay.
    if (commandOf(run) !== 'show') await this.#giveCgroup(attempt, run)
    return await Standby.begin({ script: this.script, runDir, crashPoint: supervisorCrashPoint(commandOf(run)) })
  }

  /** Where none can be made the run does without. */
  async #giveCgroup({ parts: { layout, log }, offered: { taskId, attempt } }: Attempt, run: string): Promise<void> {
    try {
      if (this.cgroup !== undefined)
        await makeCgroup(this.cgroup, runDirectory(layout, run), `${taskId}-${attempt}-${run}`)
    } catch (err) {
      log.warn({ err, run }, 'run gets no cgroup')
    }
    crashPoint('cgroup.made')
  }
}
