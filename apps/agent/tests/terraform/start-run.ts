import { mkdir } from 'node:fs/promises'
import type { Order } from '../../src/terraform/order.js'
import { Standby, type StandbyOptions } from '../../src/terraform/standby.js'
import type { SupervisedRun } from '../../src/terraform/supervised-run.js'

/** Begins a supervisor and orders at once. */
export async function startRun(request: StandbyOptions & Order): Promise<SupervisedRun> {
  return (await beginStandby(request)).order(request)
}

/** One without an order, in a directory that is made when absent. */
export async function beginStandby(options: StandbyOptions): Promise<Standby> {
  await mkdir(options.runDir, { recursive: true, mode: 0o700 })
  return await Standby.begin(options)
}
