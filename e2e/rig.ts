/** The built server and agents with a pool, and the few things every end-to-end test does with them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { OperatorClient } from '@iac-agent/client'
import { isFinal, type Phase, type Task, type TaskCreate, type WorkspaceCreate } from '@iac-agent/protocol'
import {
  type AgentOptions,
  createPoolAndKey,
  eventually,
  type Patience,
  type PoolAndKey,
  packTree,
  type RunningAgent,
  type RunningServer,
  type ServerOptions,
  startAgent,
  startServer,
  temporaryDirectory,
} from '@iac-agent/testkit'

/** File contents by path. */
export type Tree = Record<string, string>

/** Shared by the tests of one file; dispose ends agents, then the server, and checks both ends. */
export class Rig implements AsyncDisposable {
  readonly #agents: RunningAgent[] = []
  #names = 0

  private constructor(
    readonly server: RunningServer,
    readonly pool: PoolAndKey,
  ) {}

  static async start(options: ServerOptions = {}): Promise<Rig> {
    const server = await startServer(options)
    return new Rig(server, await createPoolAndKey(server.client))
  }

  get client(): OperatorClient {
    return this.server.client
  }

  /** A connected agent of the rig's pool. */
  async addAgent(options: Partial<AgentOptions> = {}): Promise<RunningAgent> {
    const agent = await startAgent({ server: this.server, key: this.pool.key, ...options })
    this.#agents.push(agent)
    return agent
  }

  /** A workspace of this HCL text or tree; answers its id. */
  async workspace(code: string | Tree, settings: Partial<WorkspaceCreate> = {}): Promise<string> {
    const tf_code = typeof code === 'string' ? code : null
    const body = { name: `w${++this.#names}`, pool_id: this.pool.poolId, tf_code, ...settings }
    const { id } = await this.client.workspaces.create({ body })
    if (typeof code !== 'string') await this.upload(id, code)
    return id
  }

  async upload(workspaceId: string, tree: Tree): Promise<void> {
    await using directory = await temporaryDirectory('tree')
    await writeTree(directory.path, tree)
    await this.client.workspaces.putConfiguration({ params: { id: workspaceId }, body: await packTree(directory.path) })
  }

  async setVariable(workspaceId: string, key: string, value: string, more: object = {}): Promise<void> {
    const body = { key, value, category: 'terraform' as const, ...more }
    await this.client.variables.create({ params: { id: workspaceId }, body })
  }

  async queue(workspaceId: string, task_type: Task['task_type'], more: Partial<TaskCreate> = {}): Promise<number> {
    const task = await this.client.tasks.create({ params: { id: workspaceId }, body: { task_type, ...more } })
    return task.id
  }

  task(id: number): Promise<Task> {
    return this.client.tasks.get({ params: { id } })
  }

  /** The task once it fits; throws, with the end of its output, when it ends otherwise. */
  async taskWhen(id: number, what: string, fits: (task: Task) => boolean, patience?: Patience): Promise<Task> {
    const look = async () => {
      const task = await this.task(id)
      return fits(task) || isFinal(task.status) ? task : undefined
    }
    const task = await eventually(`task ${id} is ${what}`, look, { timeoutMs: 60_000, ...patience }).catch(
      async (fault: Error) => {
        throw new Error(`${fault.message}\n${JSON.stringify(await this.task(id), null, 1)}`)
      },
    )
    if (!fits(task)) throw new Error(`task ${id} should be ${what}\n${JSON.stringify(task, null, 1)}`)
    return task
  }

  reached(id: number, status: Task['status'], patience?: Patience): Promise<Task> {
    return this.taskWhen(id, status, (task) => task.status === status, patience)
  }

  async confirm(id: number): Promise<void> {
    await this.client.tasks.confirm({ params: { id } })
  }

  /** Plans, confirms and applies (or destroys). */
  async apply(workspaceId: string, task_type: 'plan_and_apply' | 'destroy' = 'plan_and_apply'): Promise<Task> {
    const id = await this.queue(workspaceId, task_type)
    await this.reached(id, 'apply_pending')
    await this.confirm(id)
    return this.reached(id, 'applied')
  }

  /** A phase's whole log as it is stored. */
  async log(id: number, phase: Phase): Promise<string> {
    let text = ''
    for await (const piece of this.client.streamLogs(id, { phase })) text += piece.text
    return text
  }

  /** Addresses in the workspace's current state. */
  async addresses(workspaceId: string): Promise<string[]> {
    const response = await this.client.states.current({ params: { id: workspaceId } })
    const { resources } = (await response.json()) as { resources: { type: string; name: string }[] }
    return resources.map(({ type, name }) => `${type}.${name}`).sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = await Promise.allSettled(this.#agents.splice(0).map((agent) => agent[Symbol.asyncDispose]()))
    await this.server[Symbol.asyncDispose]()
    const fault = ends.find((end) => end.status === 'rejected')
    if (fault) throw fault.reason
  }
}

export async function writeTree(directory: string, tree: Tree): Promise<void> {
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
}
