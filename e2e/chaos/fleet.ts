/** One server, its agents and an operator, each with a network of its own that can be broken. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, type OperatorClient } from '@iac-agent/client'
import {
  createPoolAndKey,
  endStrays,
  type FaultProxy,
  layOutFakeTerraform,
  type PoolAndKey,
  type RunningServer,
  startFaultProxy,
  startServer,
} from '@iac-agent/testkit'
import { FleetAgent } from './fleet-agent.js'
import { Mortal } from './mortal.js'
import type { Restore } from './restores.js'
import { SmallDisk } from './small-disk.js'

export interface FleetOptions {
  /** Exists and is empty; holds all data and logs. */
  readonly home: string
  readonly agents: readonly string[]
  readonly smallDisk: string | undefined
  readonly leaseMs: number
}

export class Fleet implements AsyncDisposable {
  private constructor(
    readonly home: string,
    readonly server: RunningServer,
    readonly serverLife: Mortal,
    readonly serverClock: string,
    readonly pool: PoolAndKey,
    readonly agents: readonly FleetAgent[],
    readonly operatorNetwork: FaultProxy,
    readonly oracleFile: string,
  ) {}

  /** Attempts that a full disk has hit: what is left of them stays for a person, if the agent says so. */
  readonly torn = new Set<string>()
  /** Of this fleet's server, in order. */
  readonly restores: Restore[] = []

  static async start({ home, agents: names, smallDisk, leaseMs }: FleetOptions): Promise<Fleet> {
    const serverHome = join(home, 'server')
    await mkdir(serverHome)
    const serverClock = join(serverHome, 'clock-offset-ms')
    await writeFile(serverClock, '0')
    const server = await startServer({
      home: serverHome,
      args: [
        ...['--lease-ttl', `${leaseMs}ms`, '--heartbeat-interval', `${leaseMs / 6}ms`],
        ...['--offer-timeout', `${leaseMs / 2}ms`, '--operator-rate-limit', '1000000'],
      ],
      env: { IAC_CLOCK_OFFSET_FILE: serverClock },
    })
    const pool = await createPoolAndKey(server.client, 'chaos')
    const oracleFile = join(home, 'oracle.jsonl')
    await writeFile(oracleFile, '')
    const terraform = await layOutFakeTerraform(home, { oracleFile })
    const sharedWorkRoot = join(home, 'shared-work')
    const agents = await Promise.all(
      names.map((name, index) =>
        FleetAgent.start({
          name,
          home: join(home, name),
          ...{ server, pool, terraform, oracleFile },
          wantsSmallDisk: name === smallDisk,
          // Half of them can apply what another one planned.
          ...(index % 2 === 0 && name !== smallDisk ? { workRoot: sharedWorkRoot } : {}),
        }),
      ),
    )
    const operatorNetwork = await startFaultProxy({ target: server.url })
    return new Fleet(home, server, new Mortal('server', server), serverClock, pool, agents, operatorNetwork, oracleFile)
  }

  agent(name: string): FleetAgent {
    const agent = this.agents.find((one) => one.name === name)
    if (agent === undefined) throw new Error(`the fleet has no agent ${name}`)
    return agent
  }

  get lives(): Mortal[] {
    return [this.serverLife, ...this.agents.map(({ life }) => life)]
  }

  /** The network of a fault's target. */
  network(target: string): FaultProxy {
    return target === 'operator' ? this.operatorNetwork : this.agent(target).network
  }

  /** What the operator uses: over a network that breaks. */
  get shakyClient(): OperatorClient {
    return createClient({ baseUrl: this.operatorNetwork.url, token: this.server.operatorToken })
  }

  /** Ends everything at once; terraforms too. */
  async kill(): Promise<void> {
    for (const { life, home, workRoot, disk } of this.agents) {
      await life.kill()
      await endStrays(home)
      await endStrays(workRoot)
      if (disk instanceof SmallDisk) await disk.keep()
    }
    await this.serverLife.kill()
    for (const { network } of this.agents) await network[Symbol.asyncDispose]()
    await this.operatorNetwork[Symbol.asyncDispose]()
  }

  /** Agents first; each must end by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ends = await Promise.allSettled(this.agents.map((agent) => agent[Symbol.asyncDispose]()))
    await this.operatorNetwork[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
    const fault = ends.find((end) => end.status === 'rejected')
    if (fault) throw fault.reason
  }
}
