/** One task of the fake server: what the agent is given for it, and everything the agent delivered. */
import { createHash } from 'node:crypto'
import {
  type DataTask,
  judgeChunk,
  type Phase,
  type ResourceReport,
  type StatusUpdate,
  type TaskData,
  type UnrecordedReport,
} from '@iac-agent/protocol'

/** What the test gives; the rest of the data document has defaults. */
export interface FakeTaskInput {
  action?: Phase
  taskType?: DataTask['task_type']
  workspace?: Partial<TaskData['workspace']>
  variables?: TaskData['variables']
  resources?: TaskData['resources']
  context?: Partial<DataTask['context']>
  /** tar.gz of the tree. */
  configuration?: Buffer
  /** Raw bytes of the current state. */
  state?: Buffer
  /** For an apply attempt: what the plan attempt delivered. */
  plan?: Buffer
}

/** The truth about one attempt, as a server holds it. */
export class FakeTask {
  readonly statuses: StatusUpdate[] = []
  readonly states: Buffer[] = []
  readonly resources: ResourceReport[] = []
  readonly starts: string[] = []
  readonly seals: { total_bytes: number; sha256: string }[] = []
  log = Buffer.alloc(0)
  plan: Buffer | undefined
  planJson: Buffer | undefined
  unrecorded: UnrecordedReport | undefined
  readonly lease: string

  constructor(
    readonly id: number,
    readonly attempt: number,
    readonly input: FakeTaskInput,
  ) {
    this.lease = `lease-${id}-${attempt}`
    this.plan = input.plan
  }

  get action(): Phase {
    return this.input.action ?? 'plan'
  }

  get workspaceId(): string {
    return this.input.workspace?.workspace_id ?? `ws-${this.id}`
  }

  /** The final status once it was reported. */
  get finalStatus(): StatusUpdate | undefined {
    return this.statuses.find(({ status }) => status !== 'running')
  }

  /** As a backup would have it that was made before anything was delivered. */
  loseAll(): void {
    for (const all of [this.statuses, this.states, this.resources, this.seals]) all.splice(0)
    this.log = Buffer.alloc(0)
    this.plan = this.input.plan
    this.planJson = undefined
  }

  /** Stores what is new of a chunk; the next offset, or null for a gap or other bytes at a known offset. */
  append(offset: number, bytes: Buffer): { nextOffset: number; fault?: 'offset_gap' | 'log_diverged' } {
    const verdict = judgeChunk(this.log.length, offset, bytes.length)
    if (verdict.kind === 'gap') return { nextOffset: verdict.nextOffset, fault: 'offset_gap' }
    const overlap = Math.min(this.log.length - offset, bytes.length)
    const isSame = this.log.subarray(offset, offset + overlap).equals(bytes.subarray(0, overlap))
    if (!isSame) return { nextOffset: this.log.length, fault: 'log_diverged' }
    this.log = Buffer.concat([this.log, bytes.subarray(overlap)])
    return { nextOffset: this.log.length }
  }

  /** The seed's document. */
  data(): TaskData {
    const { input } = this
    const stored = input.state && { content: JSON.parse(input.state.toString()) as unknown, ...proofOf(input.state) }
    return {
      task: {
        id: this.id,
        workspace_id: this.workspaceId,
        task_type: input.taskType ?? (this.action === 'apply' ? 'plan_and_apply' : 'plan'),
        action: this.action,
        context: { targets: [], replace: [], refresh: true, description: null, ...input.context },
        attempt: this.attempt,
        created_at: '2026-01-01T00:00:00Z',
      },
      workspace: {
        workspace_id: this.workspaceId,
        name: this.workspaceId,
        terraform_version: null,
        engine: 'terraform',
        execution_mode: 'remote',
        provider_config: null,
        tf_code: null,
        system_variables: {},
        working_directory: null,
        lineage: `lineage-of-${this.workspaceId}`,
        auto_apply: false,
        accept_empty_state: false,
        ...input.workspace,
      },
      resources: input.resources ?? [],
      variables: input.variables ?? [],
      ...(stored && {
        state_version: { version: 1, content: stored.content, checksum: stored.sha256, size: stored.size },
      }),
      ...(input.configuration && { configuration: { id: `cfg-${this.id}`, ...proofOf(input.configuration) } }),
    }
  }
}

function proofOf(bytes: Buffer): { sha256: string; size: number } {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }
}
