/** Thousands of sockets need as many open files, here and in the server, which this process starts. */
import { readFile } from 'node:fs/promises'

/** Beside the sockets: files, pipes, the pool of HTTP connections. */
const others = 200

/** @throws Error naming the remedy, rather than thousands of failing connections */
export async function requireOpenFiles(sockets: number): Promise<void> {
  const limits = await readFile('/proc/self/limits', 'utf8')
  // Node.js raises the soft limit to the hard one when it starts, so the first figure is what it has.
  const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  if (most >= sockets + others) return
  throw new Error(
    `${sockets} agents need ${sockets + others} open files, and ${most} are allowed: raise \`ulimit -Hn\``,
  )
}
