/** All that a round's oracle judges, collected when the fleet is healed and at rest. Plain data, so that each check is a pure function. */
import type { LogState, Phase, StateVersion, Task, WorkspaceLock } from '@iac-agent/protocol'
import type { FakeRun } from './fake-runs.js'
import type { TaskHistory } from './history.js'
import type { Struck } from './inject.js'
import type { Restore } from './restores.js'
import type { PlannedWorkspace } from './workload.js'

/** The stored log of one attempt. */
export interface StoredLog {
  readonly attempt: number
  readonly phase: Phase
  readonly state: LogState
  readonly text: string
}

/** What restores of the server did to a task. */
type Fate =
  /** nothing */
  | 'steady'
  /** it went on from an earlier moment; a person has looked after it */
  | 'went back'
  /** it was made after the backup: nobody knows it but the agents that worked at it */
  | 'gone'

export interface TaskEvidence {
  readonly history: TaskHistory
  /** As the server has it; undefined when it has none of that id, or another one. */
  readonly task: Task | undefined
  /** Of all attempts that have one. */
  readonly logs: readonly StoredLog[]
  /** Addresses that the server lists as made and in no state. */
  readonly unrecorded: readonly string[]
  /** Of this task, in order; of the real terraform the begins of its applies alone. */
  readonly runs: readonly FakeRun[]
  /** Final statuses the server gave it since its last restore, one after the other; more than one is one too many. */
  readonly finals: readonly string[]
  readonly fate: Fate
}

export interface WorkspaceEvidence {
  readonly id: string
  readonly planned: PlannedWorkspace
  readonly lock: WorkspaceLock | null
  readonly versions: readonly StateVersion[]
  /** Address to id in the current state; undefined when there is none. */
  readonly current: ReadonlyMap<string, string> | undefined
  /** How many tasks the server has of it. */
  readonly tasks: number
}

/** Of an attempt whose task a restored server does not know: its agent keeps all of it. */
export interface KeptData {
  readonly attempt: string
  readonly log: string
  readonly stateChecksums: readonly string[]
}

/** What is on an agent's host although nothing runs. */
export interface Leftovers {
  readonly agent: string
  readonly attempts: readonly string[]
  readonly unknown: readonly KeptData[]
  readonly claims: readonly string[]
  /** Command lines. */
  readonly processes: readonly string[]
  readonly listeningSockets: number
  /** Tasks the server counts as running there. */
  readonly countedTasks: readonly number[]
  /** What the agent reports as refused for good. */
  readonly alarms: readonly string[]
}

export interface Evidence {
  readonly tasks: readonly TaskEvidence[]
  readonly workspaces: readonly WorkspaceEvidence[]
  readonly leftovers: readonly Leftovers[]
  readonly struck: readonly Struck[]
  readonly restores: readonly Restore[]
}

/** What a check found. `kind` is a row of the table; `size` counts bytes for lost and doubled ones, else cases. */
export interface Breach {
  readonly kind:
    | 'lost bytes'
    | 'doubled bytes'
    | 'wrong logs'
    | 'lost states'
    | 'wrong states'
    | 'double starts'
    | 'unconfirmed starts'
    | 'wrong ends'
    | 'stuck tasks'
    | 'lost acknowledged'
    | 'orphans'
    | 'locked workspaces'
    | 'died by itself'
  readonly size: number
  /** One sentence that names the thing. */
  readonly what: string
}
