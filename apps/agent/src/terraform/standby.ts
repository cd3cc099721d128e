/** A supervisor that is up, in its cgroup, and waits for its order: to get there takes it 10 ms and more, so it is begun before there is one. */
import { execa } from 'execa'
import { handCgroup, leaveCgroup, type SpareCgroup } from './cgroup.js'
import { type Order, orderText } from './order.js'
import { SupervisedRun } from './supervised-run.js'
import { TerraformError } from './terraform-error.js'

export interface StandbyOptions {
  /** Path of supervise.sh (`installSupervisor`). */
  readonly script: string
  /** Where it stands by; absolute, and there. */
  readonly directory: string
  /** Of its own (`makeCgroup`); the run gets it too. */
  readonly cgroup: SpareCgroup | undefined
}

export class Standby {
  #isUp = true

  private constructor(
    private readonly cgroup: SpareCgroup | undefined,
    private readonly child: { readonly stdin: NodeJS.WritableStream; ref(): void },
    private readonly ended: Promise<number | undefined>,
  ) {
    void ended.then(() => {
      this.#isUp = false
    })
  }

  /** Resolves when the supervisor is spawned. It ends by itself with this process. */
  static async begin({ script, directory, cgroup }: StandbyOptions): Promise<Standby> {
    const supervisor = execa('/bin/sh', [script, cgroup?.path ?? ''], {
      cwd: directory,
      env: {},
      extendEnv: false,
      detached: true,
      cleanup: false,
      stdio: ['pipe', 'ignore', 'ignore'],
      reject: false,
    })
    if (supervisor.pid === undefined) {
      const result = await supervisor
      const cause = result.cause ?? result
      throw new TerraformError('agent_fault', 'the supervisor of terraform could not be started', { cause })
    }
    supervisor.unref() // its run outlives us
    supervisor.stdin.on('error', () => undefined) // it ended before its order: what that means, its end and its facts tell
    return new Standby(
      cgroup,
      supervisor,
      supervisor.then(({ exitCode }) => exitCode),
    )
  }

  /** False once it has ended, as far as this process has heard. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** Gives the run the cgroup, if there is one; before the order, so that nothing of the run is ever in one that it does not know. */
  async enter(runDir: string): Promise<void> {
    if (this.cgroup !== undefined) await handCgroup(this.cgroup, runDir)
  }

  /**
   * Starts the run. Journal the intent first: a run is started at most once because of the `claim` in its directory, also by two
   * agents at the same time.
   */
  order(order: Order): SupervisedRun {
    this.child.stdin.end(orderText(order))
    return new SupervisedRun(order.runDir, this.ended)
  }

  /** No order will come: resolves when the supervisor is gone. */
  async dismiss(): Promise<void> {
    this.child.ref()
    this.child.stdin.end()
    await this.ended
    if (this.cgroup !== undefined) await leaveCgroup(this.cgroup.link)
  }
}
