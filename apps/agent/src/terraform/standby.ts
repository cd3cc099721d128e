/** A supervisor that is up and waits for its order: to get there takes it 10 ms and more, so it is begun before there is one. */
import { execa } from 'execa'
import { type Order, orderText } from './order.js'
import { runMark } from './orphan-group.js'
import { SupervisedRun } from './supervised-run.js'
import { TerraformError } from './terraform-error.js'

export interface StandbyOptions {
  /** Path of supervise.sh (`installSupervisor`). */
  readonly script: string
  /** Directory of the facts and of `output`; absolute, and there; one run each. */
  readonly runDir: string
  /** Where the supervisor is to die, in tests (`supervisorCrashPoint`). */
  readonly crashPoint?: Readonly<Record<string, string>>
}

export class Standby {
  private constructor(
    readonly runDir: string,
    private readonly stdin: NodeJS.WritableStream,
    private readonly ended: Promise<number | undefined>,
  ) {}

  /** Resolves when the supervisor is spawned. It ends by itself with this process. */
  static async begin({ script, runDir, crashPoint = {} }: StandbyOptions): Promise<Standby> {
    const supervisor = execa('/bin/sh', [script, runDir], {
      cwd: runDir,
      env: { ...crashPoint, [runMark]: runDir },
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
    supervisor.unref()
    supervisor.stdin.on('error', () => undefined) // it ended before its order: what that means, its end and its facts tell
    return new Standby(
      runDir,
      supervisor.stdin,
      supervisor.then(({ exitCode }) => exitCode),
    )
  }

  /**
   * Starts the run. Journal the intent first: a run is started at most once because of the `claim` in its directory, also by two
   * agents at the same time.
   */
  order(order: Order): SupervisedRun {
    this.stdin.end(orderText(order))
    return new SupervisedRun(this.runDir, this.ended)
  }

  /** No order will come: resolves when the supervisor is gone. */
  async dismiss(): Promise<void> {
    this.stdin.end()
    await this.ended
  }
}
