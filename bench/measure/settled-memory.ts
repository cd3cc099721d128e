/** Memory that a process needs, without the garbage it has not collected yet: it is told to collect, then read from outside. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { usageOf } from './process-usage.js'

/** For `node --require`: the same as `collectOnSignal`, in a program that knows nothing of it. */
export const collectOnSignalScript = `
require('node:v8').setFlagsFromString('--expose-gc')
const gc = require('node:vm').runInNewContext('gc')
process.on('SIGUSR2', () => gc())
`

/** This process collects all its garbage whenever it gets SIGUSR2. */
export function collectOnSignal(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  process.on('SIGUSR2', () => gc())
}

/** Freed pages go back to the system a little after a collection. */
const settleMs = 400
const collections = 3

/** The resident memory of a process that collects on signal. KiB. */
export async function settledMemoryKiB(pid: number): Promise<number> {
  for (let done = 0; done < collections; done++) {
    process.kill(pid, 'SIGUSR2')
    await elapsed(settleMs)
  }
  return (await usageOf(pid)).rssKiB
}
