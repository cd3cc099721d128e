/** One agent of the fleet behind its own network, disk and clock. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type FaultProxy,
  type PoolAndKey,
  type RunningAgent,
  type RunningServer,
  startAgent,
  startFaultProxy,
} from '@iac-agent/testkit'
import { Mortal } from './mortal.js'
import { SmallDisk } from './small-disk.js'

export interface FleetAgentOptions {
  readonly name: string
  /** Made; holds everything of this agent. */
  readonly home: string
  readonly server: RunningServer
  readonly pool: PoolAndKey
  readonly terraform: string
  /** Own one unless given. */
  readonly workRoot?: string
  readonly wantsSmallDisk: boolean
}

export class FleetAgent implements AsyncDisposable {
  private constructor(
    readonly name: string,
    readonly home: string,
    readonly workRoot: string,
    readonly network: FaultProxy,
    readonly process: RunningAgent,
    readonly life: Mortal,
    readonly clockFile: string,
    /** Or why there is none, undefined when none was wanted. */
    readonly disk: SmallDisk | string | undefined,
  ) {}

  static async start(options: FleetAgentOptions): Promise<FleetAgent> {
    const { name, home, server, pool } = options
    const dataDir = join(home, 'data')
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const disk = options.wantsSmallDisk ? await SmallDisk.mount(dataDir) : undefined
    const network = await startFaultProxy({ target: server.url })
    const clockFile = join(home, 'clock-offset-ms')
    await writeFile(clockFile, '0')
    const workRoot = options.workRoot ?? join(dataDir, 'work')
    const process = await startAgent({
      server: { url: network.url },
      key: pool.key,
      name,
      home,
      args: [
        ...['--plan-limit', '4', '--cancel-grace', '1s', '--work-root', workRoot],
        ...['--terraform-path', options.terraform],
        ...['--min-free-disk', '16MiB', '--min-free-memory', '16MiB'],
      ],
      env: { IAC_CLOCK_OFFSET_FILE: clockFile },
    })
    return new FleetAgent(name, home, workRoot, network, process, new Mortal(name, process), clockFile, disk)
  }

  get dataDir(): string {
    return this.process.dataDir
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
    await this.network[Symbol.asyncDispose]()
    if (this.disk instanceof SmallDisk) await this.disk[Symbol.asyncDispose]()
  }
}
