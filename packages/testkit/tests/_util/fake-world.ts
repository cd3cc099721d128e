/** The fake terraform in a work directory of its own, with a state backend that can be away. */
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { execa } from 'execa'
import { layOutFakeTerraform, type OracleRecord, readOracle, temporaryDirectory } from '../../src/index.js'

const emptyState = JSON.stringify({ version: 4, serial: 0, lineage: 'here', outputs: {}, resources: [] })

/** Takes a state without looking at it. */
class StateBackend {
  state = emptyState
  posts = 0
  refusals = 0
  isAway = false
  readonly server = createServer((request, response) => {
    if (this.isAway) {
      this.refusals++
      response.destroy()
    } else if (request.method === 'GET') response.end(this.state)
    else {
      this.posts++
      void text(request).then((body) => {
        this.state = body
        response.end()
      })
    }
  })
}

export type FakeWorld = Awaited<ReturnType<typeof fakeWorld>>

/** Begins with an empty state and an empty oracle; so does `reset`, in an emptied work directory. */
export async function fakeWorld() {
  const home = await temporaryDirectory('fake-terraform')
  const [oracleFile, work] = [join(home.path, 'oracle'), join(home.path, 'work')]
  const program = await layOutFakeTerraform(home.path, { oracleFile })
  const backend = new StateBackend()
  backend.server.listen(0, '127.0.0.1')
  await once(backend.server, 'listening')
  const address = `http://127.0.0.1:${(backend.server.address() as AddressInfo).port}/`
  const environment = { CHECKPOINT_DISABLE: '1', TF_HTTP_ADDRESS: address, TF_HTTP_RETRY_MAX: '86400' }

  const world = {
    program,
    work,
    backend,
    environment,
    oracle: () => readOracle(oracleFile),
    async reset(): Promise<void> {
      Object.assign(backend, { state: emptyState, posts: 0, refusals: 0, isAway: false })
      await rm(work, { recursive: true, force: true })
      await mkdir(work)
      await writeFile(oracleFile, '')
    },
    async configure(configuration: string): Promise<void> {
      await writeFile(join(work, 'main.tf'), configuration)
      await writeFile(join(work, 'zz_override.tf.json'), '{"terraform":{"backend":{"http":{}}}}')
    },
    /** Up to a plan file `p`. */
    async planned(configuration: string, ...flags: string[]): Promise<void> {
      await world.configure(configuration)
      await world.run('init', '-input=false')
      await world.run('plan', '-input=false', '-no-color', '-out=p', ...flags)
    },
    apply: () => world.run('apply', '-json', '-parallelism=1', 'p'),
    /** Answers stdout. */
    async run(...args: string[]): Promise<string> {
      const { exitCode, stdout, stderr } = await world.start(args)
      if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`)
      return String(stdout)
    },
    /** `output`: takes stdout, by a shell as in the agent's supervisor. */
    start(args: string[], { output, env = {} }: { output?: string; env?: Record<string, string> } = {}) {
      const options = { cwd: work, reject: false, stdin: 'ignore', env: { ...environment, ...env } } as const
      if (output === undefined) return execa(program, args, options)
      return execa('/bin/sh', ['-c', 'exec "$@" >"$0"', output, program, ...args], options)
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await new Promise((resolve) => backend.server.close(resolve))
      await home[Symbol.asyncDispose]()
    },
  }
  await world.reset()
  return world
}

export function kinds(records: readonly OracleRecord[]): string[] {
  return records.map(({ kind }) => kind)
}
