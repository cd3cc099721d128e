import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SpareCgroup } from '../../src/terraform/cgroup.js'
import type { Order } from '../../src/terraform/order.js'
import { Standby } from '../../src/terraform/standby.js'
import type { SupervisedRun } from '../../src/terraform/supervised-run.js'

/** Default of the output: `<runDir>/output`. */
export interface RunRequest extends Omit<Order, 'output'> {
  readonly script: string
  readonly output?: string
  readonly cgroup?: SpareCgroup
}

/** Begins a supervisor and orders at once, in a run directory that is made when absent. */
export async function startRun({ script, cgroup, ...order }: RunRequest): Promise<SupervisedRun> {
  await mkdir(order.runDir, { recursive: true, mode: 0o700 })
  const standby = await Standby.begin({ script, directory: order.runDir, cgroup })
  await standby.enter(order.runDir)
  return standby.order({ output: join(order.runDir, 'output'), ...order })
}
