/** Limits and rivals that need a process of their own, as the server has: this very program, started again as `peer NAME`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** What a peer's code does; it serves until its process is ended. `argument` is what the bench gave. */
export interface Peer {
  /** Answers with its address: an http(s) or ws URL. */
  serve(argument: string): Promise<string>
}

export interface RunningPeer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

/** Resolves when the peer serves. Dispose ends it. @throws Error when it ends before */
export async function startPeer(name: string, argument = ''): Promise<RunningPeer> {
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'peer', name, argument], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const [url] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => [])])) as string[]
  if (url === undefined || child.pid === undefined) throw new Error(`the peer ${name} ended before it served`)
  return {
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The other side: serves, says where, and ends with whoever started it. */
export async function servePeer(peer: Peer, argument: string): Promise<void> {
  process.stdin.on('close', () => process.exit()).resume()
  console.log(await peer.serve(argument))
}
