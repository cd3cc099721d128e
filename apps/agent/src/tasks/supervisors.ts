/** Supervisors for the commands to come, whatever they are: up and in their cgroups before there is an order. */
import { join } from 'node:path'
import type { Logger } from '@iac-agent/runtime'
import { crashPoint } from '../journal/crash-points.js'
import { namesIn } from '../journal/names-in.js'
import { leaveCgroup, makeCgroup, type SpareCgroup } from '../terraform/cgroup.js'
import type { Order } from '../terraform/order.js'
import { Standby } from '../terraform/standby.js'
import type { SupervisedRun } from '../terraform/supervised-run.js'

export interface SupervisorsOptions {
  /** Path of supervise.sh (`installSupervisor`). */
  readonly script: string
  /** Where they stand by, and where their cgroups are named meanwhile. */
  readonly directory: string
  /** Where each gets a cgroup of its own; undefined where this agent may make none. */
  readonly cgroup: string | undefined
  readonly log: Logger
}

/** A plan is followed by its `show` at once. With more to do than these are for the host is busy, and to begin early only holds up others. */
const mostReady = 2

export class Supervisors implements AsyncDisposable {
  readonly #ready: Standby[] = []
  #filling: Promise<void> | undefined
  #isOver: boolean = false

  private constructor(private readonly options: SupervisorsOptions) {}

  /** Gives back what an earlier process of this agent left: the supervisors that stood by for it have ended with it. */
  static async open(options: SupervisorsOptions): Promise<Supervisors> {
    const { directory, log } = options
    const removals = (await namesIn(directory)).map((name) =>
      leaveCgroup(join(directory, name)).catch((err: unknown) => log.warn({ err, name }, 'cgroup not removed')),
    )
    await Promise.all(removals)
    return new Supervisors(options)
  }

  /** Begins what is missing, one after the other. What fails is tried again when it is needed. */
  standBy(): void {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined
    })
  }

  /**
   * Gives the order to one that stands by, else to a new one. Journal the intent first.
   * @throws TerraformError `agent_fault` when none can be started
   */
  async start(order: Order): Promise<SupervisedRun> {
    const standby = await this.#take()
    await standby
      .enter(order.runDir)
      .catch((err: unknown) => this.options.log.warn({ err, run_dir: order.runDir }, 'run does not know its cgroup'))
    crashPoint('cgroup.handed')
    return standby.order(order)
  }

  async #take(): Promise<Standby> {
    for (;;) {
      const ready = this.#ready.shift()
      if (ready === undefined) return await this.#begin()
      if (ready.isUp) return ready
      await ready.dismiss()
    }
  }

  /** Those without an order end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#filling
    await Promise.all(this.#ready.splice(0).map((standby) => standby.dismiss()))
  }

  async #fill(): Promise<void> {
    try {
      while (this.#ready.length < mostReady && !this.#isOver) this.#ready.push(await this.#begin())
    } catch (err) {
      this.options.log.warn({ err }, 'no supervisor stands by')
    }
  }

  async #begin(): Promise<Standby> {
    const { script, directory } = this.options
    const cgroup = await this.#makeCgroup()
    crashPoint('start.cgroup_made')
    return await Standby.begin({ script, directory, cgroup })
  }

  /** Where none can be made the run does without. */
  async #makeCgroup(): Promise<SpareCgroup | undefined> {
    const { cgroup, directory, log } = this.options
    try {
      return cgroup === undefined ? undefined : await makeCgroup(cgroup, directory)
    } catch (err) {
      log.warn({ err }, 'runs get no cgroup')
      return undefined
    }
  }
}
