/** Names every path of the agent's data directory; nothing else in the agent joins these names. */
import { join } from 'node:path'

/** The paths of one data directory (all absolute; directories 0700, files 0600). */
export interface DataLayout {
  root: string
  /** Prefix of the link that names the one daemon of this directory (data-lock.ts). */
  lock: string
  /** Unix socket of the running daemon (`status`, `drain`). */
  socket: string
  /** Agent id and secret, machine id and the count of starts (config/identity.ts). */
  identity: string
  /** One folder per attempt, `<task>-<attempt>`. */
  attempts: string
  /** Downloaded terraform and tofu binaries, a folder per engine and version. */
  versions: string
  /** Backend notes of earlier inits, one per engine and version (terraform/init-cache.ts). */
  initCache: string
  /** Where supervisors without an order are, and links to their cgroups (tasks/supervisors.ts). */
  standby: string
  /** Space kept back for the end of what runs (daemon/resource-guard.ts). */
  ballast: string
  /** Work root when `--work-root` is not given. */
  defaultWorkRoot: string
}

/** The paths of one attempt. */
export interface AttemptLayout {
  root: string
  /** Facts, one JSON line each (attempt-record.ts). */
  journal: string
  /** The data document as the server sent it. */
  data: string
  /** State bytes the attempt starts from, as received. Absent file: the workspace has none. */
  baseState: string
  /** Uploaded configuration, a tar.gz as received. */
  configuration: string
  /** One supervisor directory per terraform command (`run/<name>/`: claim, pid, exit, cgroup). */
  runs: string
  /** Raw output of all commands whose text is the task's log, in order (`show` has its own, `run/<name>/output`). */
  output: string
  /** Rendered, redacted text: byte n of this file is offset n. */
  spool: string
  /** Raw offset, spool length and redactor carry, durable before bytes are sent. */
  spoolCheckpoint: string
  /** Every state terraform wrote, each under its own name. */
  states: string
  /** The plan file terraform writes and applies. A secret. */
  planFile: string
  /** `show -json` of the plan as terraform prints it: holds secrets, gone once it is redacted. */
  rawPlanJson: string
  /** What the work directory held just before planning, to know what planning made. */
  treeBeforePlan: string
  /** Plan archive: plan file, lock file, files made while planning. Sent (plan) or received (apply). */
  planArchive: string
  /** Redacted `show -json` of the plan. */
  planJson: string
  /** Per-resource progress records of an apply, one JSON line each. */
  progress: string
  /** What the apply created and no state holds, as it is delivered. */
  unrecorded: string
  /** What an answer of the server rejected for good, kept for a person. */
  quarantine: string
  /** Home of scratch files that need not outlive the process. */
  tmp: string
}

/** The paths of a workspace's work directory under a work root. */
export interface WorkLayout {
  /** Terraform configuration is unpacked here: the same absolute path for plan and apply. */
  directory: string
  /** Prefix of the link that names who holds the directory (terraform/work-directory.ts). */
  claim: string
}

/** Paths of the data directory `root` (absolute). */
export function dataLayout(root: string): DataLayout {
  return {
    root,
    lock: join(root, 'daemon.lock'),
    socket: join(root, 'agent.sock'),
    identity: join(root, 'agent.json'),
    attempts: join(root, 'attempts'),
    versions: join(root, 'versions'),
    initCache: join(root, 'init-cache'),
    standby: join(root, 'standby'),
    ballast: join(root, 'ballast'),
    defaultWorkRoot: join(root, 'work'),
  }
}

/** Paths of attempt `attempt` of task `taskId`. */
export function attemptLayout(data: DataLayout, taskId: number, attempt: number): AttemptLayout {
  return attemptLayoutAt(join(data.attempts, `${taskId}-${attempt}`))
}

/** Paths of the attempt kept in the directory `root`. */
export function attemptLayoutAt(root: string): AttemptLayout {
  return {
    root,
    journal: join(root, 'journal.jsonl'),
    data: join(root, 'data.json'),
    baseState: join(root, 'base.tfstate'),
    configuration: join(root, 'configuration.tar.gz'),
    runs: join(root, 'run'),
    output: join(root, 'output'),
    spool: join(root, 'spool'),
    spoolCheckpoint: join(root, 'spool.json'),
    states: join(root, 'states'),
    planFile: join(root, 'tfplan'),
    rawPlanJson: join(root, 'tfplan.json'),
    treeBeforePlan: join(root, 'tree.json'),
    planArchive: join(root, 'plan.tar.gz'),
    planJson: join(root, 'plan.json'),
    progress: join(root, 'progress.jsonl'),
    unrecorded: join(root, 'unrecorded.json'),
    quarantine: join(root, 'quarantine'),
    tmp: join(root, 'tmp'),
  }
}

/** Supervisor directory of the run `name` (`init-1`, `plan-1`, `show-1`, `apply-1`) of an attempt. */
export function runDirectory(attempt: AttemptLayout, name: string): string {
  return join(attempt.runs, name)
}

/** Work directory of a workspace: by workspace alone, so that a plan finds its absolute path again. */
export function workLayout(workRoot: string, workspaceId: string): WorkLayout {
  return { directory: join(workRoot, workspaceId), claim: join(workRoot, `${workspaceId}.claim`) }
}

/** Whether a name in the work root is a workspace's directory, and no claim beside one. */
export function isWorkDirectory(name: string): boolean {
  return !/\.claim\./.test(name)
}
