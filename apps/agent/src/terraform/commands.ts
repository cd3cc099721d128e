/** The arguments of each terraform (or tofu) command; the current directory is the root module. No value of a variable is ever here. */
import { assertNever, type TaskType } from '@iac-agent/protocol'

/** What a plan plans: the changes, the destruction of everything, or what drifted. */
export type PlanMode = 'plan' | 'destroy' | 'refresh_only'

export interface PlanArguments {
  readonly planFile: string
  readonly mode: PlanMode
  readonly targets?: readonly string[]
  readonly replace?: readonly string[]
  /** False leaves reality unread. A refresh-only plan cannot do without: there it is ignored. */
  readonly refresh?: boolean
}

/** The plan mode of a task type. */
export function planMode(taskType: TaskType): PlanMode {
  switch (taskType) {
    case 'plan':
    case 'plan_and_apply':
      return 'plan'
    case 'destroy':
      return 'destroy'
    case 'drift_check':
      return 'refresh_only'
    default:
      return assertNever(taskType)
  }
}

/** `lockfileReadonly`: an apply elsewhere must get exactly the providers its plan was made with. */
export function initArguments(options: { lockfileReadonly?: boolean } = {}): string[] {
  return ['init', '-input=false', '-no-color', ...(options.lockfileReadonly ? ['-lockfile=readonly'] : [])]
}

/** Exit 0 either way: whether there are changes is read from the plan. No state lock: the workspace's is the lock. */
export function planArguments(plan: PlanArguments): string[] {
  const { mode, targets = [], replace = [], refresh = true } = plan
  return [
    'plan',
    '-input=false',
    '-no-color',
    `-out=${plan.planFile}`,
    ...(mode === 'destroy' ? ['-destroy'] : []),
    ...(mode === 'refresh_only' ? ['-refresh-only'] : []),
    ...(refresh || mode === 'refresh_only' ? [] : ['-refresh=false']),
    ...targets.map((address) => `-target=${address}`),
    ...(mode === 'plan' ? replace.map((address) => `-replace=${address}`) : []),
  ]
}

/** Applies exactly the given plan; its output is one JSON event a line. */
export function applyArguments(planFile: string): string[] {
  return ['apply', '-input=false', '-json', planFile]
}

/**
 * The whole command of `show -json`: stdout alone goes into `jsonFile` (0600), so that a warning on stderr cannot spoil it. The
 * shell execs, so the command keeps its identity.
 */
export function showCommand(program: string, planFile: string, jsonFile: string): string[] {
  return ['/bin/sh', '-c', 'umask 077; exec "$@" >"$0"', jsonFile, program, 'show', '-json', '-no-color', planFile]
}
