/** Counts syncs, and bytes read from files, at every way Node.js has to ask for them. */
import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { count, type Tally } from './tally.js'

type Callback = (error: Error | null, bytes?: number) => void
type AnyFunction = (...args: never[]) => unknown

export async function countDisk({ syncs, bytesRead }: { syncs: Tally; bytesRead: Tally }): Promise<void> {
  const probe = await fs.promises.open('/dev/null')
  const handles = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  for (const name of ['sync', 'datasync'] as const) {
    wrap(
      handles,
      name,
      (original) =>
        function (this: FileHandle) {
          count(syncs, pathOf(this.fd))
          return original.call(this)
        },
    )
  }
  wrap(
    handles,
    'read',
    (original) =>
      async function (this: FileHandle, ...args: unknown[]) {
        const answer = (await original.apply(this, args)) as { bytesRead: number }
        count(bytesRead, pathOf(this.fd), answer.bytesRead)
        return answer
      },
  )
  for (const name of ['fsync', 'fdatasync', 'fsyncSync', 'fdatasyncSync'] as const) {
    wrap(fs, name, (original) => (fd: number, ...rest: unknown[]) => {
      count(syncs, pathOf(fd))
      return original.call(fs, fd, ...rest)
    })
  }
  wrap(fs, 'read', (original) => (fd: number, ...rest: unknown[]) => {
    const done = rest.pop() as Callback
    const path = pathOf(fd)
    return original.call(fs, fd, ...rest, (error: Error | null, bytes = 0, ...more: never[]) => {
      count(bytesRead, path, bytes)
      ;(done as (...args: unknown[]) => void)(error, bytes, ...more)
    })
  })
  wrap(fs, 'readSync', (original) => (fd: number, ...rest: unknown[]) => {
    const bytes = original.call(fs, fd, ...rest) as number
    count(bytesRead, pathOf(fd), bytes)
    return bytes
  })
}

/** The kernel's word, since a descriptor may come from anywhere. */
function pathOf(fd: number): string {
  return fs.readlinkSync(`/proc/self/fd/${fd}`)
}

/** Puts what `make` makes of a method in its place. */
function wrap<T extends object>(target: T, name: keyof T, make: (original: Function0) => AnyFunction): void {
  target[name] = make(target[name] as Function0) as T[keyof T]
}

type Function0 = (this: unknown, ...args: unknown[]) => unknown
