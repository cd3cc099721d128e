/** Counts the processes that a program starts itself. */
import childProcess, { ChildProcess } from 'node:child_process'
import { basename } from 'node:path'
import { count, type Tally } from './tally.js'

/** All that does not block goes through this method, which the types do not know. */
interface Spawner {
  spawn(options: { file: string }): unknown
}

export function countProcesses({ processes }: { processes: Tally }): void {
  const spawner = ChildProcess.prototype as unknown as Spawner
  const spawn = spawner.spawn
  spawner.spawn = function (options) {
    count(processes, basename(options.file))
    return spawn.call(this, options)
  }
  const { spawnSync, execFileSync, execSync } = childProcess
  const counting =
    <F extends (...args: never[]) => unknown>(original: F) =>
    (...args: Parameters<F>) => {
      count(processes, basename(String(args[0])))
      return original(...args)
    }
  Object.assign(childProcess, {
    spawnSync: counting(spawnSync),
    execFileSync: counting(execFileSync),
    execSync: counting(execSync),
  })
}
