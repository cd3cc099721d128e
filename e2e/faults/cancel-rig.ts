/** A rig for cancels: a terraform that notes each interrupt, and a database that notes each status. */
import { join } from 'node:path'
import { ApiError, isFinal, type Task } from '@iac-agent/protocol'
import {
  layOutFakeTerraform,
  type OracleRecord,
  printedText,
  readOracle,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { expect } from 'vitest'
import { Rig } from '../rig.js'
import { type LoneAgent, loneAgent } from './lone-agent.js'
import { recordStatusMoves, type StatusMoves } from './status-moves.js'

export class CancelRig implements AsyncDisposable {
  private constructor(
    readonly rig: Rig,
    /** For `iac-agent start`. */
    readonly agentArgs: readonly string[],
    private readonly home: TemporaryDirectory,
    private readonly oracleFile: string,
    private readonly moves: StatusMoves,
  ) {}

  /** Heartbeats come often, so that a cancel is said again and again. */
  static async start(leaseTtl = '10s'): Promise<CancelRig> {
    const rig = await Rig.start({
      args: ['--heartbeat-interval', '500ms', '--lease-ttl', leaseTtl, '--offer-timeout', '3s'],
    })
    const home = await temporaryDirectory('fake-terraform')
    const oracleFile = join(home.path, 'oracle.jsonl')
    const program = await layOutFakeTerraform(home.path, { oracleFile })
    const agentArgs = ['--terraform-path', program, '--cancel-grace', '500ms']
    return new CancelRig(rig, agentArgs, home, oracleFile, recordStatusMoves(rig.server))
  }

  loneAgent(env: Record<string, string> = {}): Promise<LoneAgent> {
    return loneAgent(this.rig, { args: this.agentArgs, env })
  }

  /** Like a person who does not look: a task that ended meanwhile is fine. */
  async cancel(id: number, force = false): Promise<void> {
    await this.rig.client.tasks.cancel({ params: { id }, body: { force } }).catch((err: unknown) => {
      if (!(err instanceof ApiError && err.code === 'illegal_transition')) throw err
    })
  }

  /** By the fake's own notes, and by what terraform said. */
  async interrupts({ id, plan_output, apply_output }: Task): Promise<number> {
    const told = [plan_output, apply_output].map((text) => text?.match(/nterrupts? received/g)?.length ?? 0)
    const noted = (await this.#recordsOf(id)).filter(({ kind }) => kind === 'interrupt')
    return Math.max(...told, noted.length)
  }

  /** What terraform printed in an attempt, as a log must show it. */
  async printed(id: number, attempt: number): Promise<string> {
    return printedText(await this.#recordsOf(id), `${id}-${attempt}`)
  }

  /** Every final status the task was given. */
  finals(id: number): string[] {
    return this.moves.of(id).filter(isFinalStatus)
  }

  /** How often terraform was started to apply the task. */
  async applies(id: number): Promise<number> {
    return (await this.#recordsOf(id)).filter((record) => record.kind === 'begin' && record.command === 'apply').length
  }

  /** The task's end: one final status, given once, and its workspace free. */
  async ended(id: number, label: string): Promise<Task> {
    const task = await this.rig.taskWhen(id, 'over', ({ status }) => isFinal(status), { timeoutMs: 90_000 })
    expect(['cancelled', 'applied', 'success'], label).toContain(task.status)
    expect(this.finals(id), label).toEqual([task.status])
    const { lock } = await this.rig.client.workspaces.get({ params: { id: task.workspace_id } })
    expect(lock, label).toBeNull()
    return task
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.moves[Symbol.dispose]()
    await this.rig[Symbol.asyncDispose]()
    await this.home[Symbol.asyncDispose]()
  }

  async #recordsOf(id: number): Promise<OracleRecord[]> {
    return (await readOracle(this.oracleFile)).filter(({ attempt }) => attempt.startsWith(`${id}-`))
  }
}

function isFinalStatus(status: string): boolean {
  return isFinal(status as Task['status'])
}
