/** What an attempt does next, decided from its facts alone: a fresh run and a recovered one go the same way. */
import { mayApply } from '@iac-agent/protocol'
import { commandOf, first, has, pendingRun, runsOf, startAnswer } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import { notStartedCode } from '../terraform/run-facts.js'

export type Step =
  /** get the data document, state, configuration and (apply) plan archive */
  | 'fetch'
  /** empty the work directory and write the configuration into it */
  | 'prepare'
  /** choose or download the binary */
  | 'find_engine'
  /** put the stored plan and its files into the work directory */
  | 'restore_plan'
  /** `init`, or the decision that it is not needed */
  | 'init'
  | 'plan'
  /** the one `show -json` of the plan: counts and redacted plan-json */
  | 'show'
  /** the plan archive, for plans that may be applied */
  | 'save_plan'
  /** the server's last word before anything changes */
  | 'start_gate'
  | 'apply'
  /** states terraform left in files or in its output */
  | 'collect_states'
  /** what an apply that did not end well created, compared with its newest state */
  | 'list_unrecorded'
  /** empty and leave the work directory, close the output */
  | 'release'
  /** record the outcome, for delivery */
  | 'finish'

/** The next step; undefined when the outcome is recorded and only delivery remains. */
export function nextStep(facts: readonly Fact[]): Step | undefined {
  if (has(facts, 'outcome')) return undefined
  if (isAbandoned(facts)) return has(facts, 'released') ? undefined : 'release'
  if (mustAskAgain(facts)) return 'start_gate'
  const pending = pendingRun(facts)
  if (pending) return commandOf(pending.run) // whatever happened: nothing else is touched before its end is known
  return (isStopped(facts) ? undefined : forwardStep(facts)) ?? closingStep(facts)
}

/** What stands in the work directory is still wanted: it was prepared, and not all that is done in it is done. */
export function needsWorkDirectory(facts: readonly Fact[]): boolean {
  const next = nextStep(facts)
  return has(facts, 'prepared') && next !== undefined && next !== 'release' && next !== 'finish'
}

/**
 * Another process started this very attempt (a copied data directory): what becomes of it is that one's to tell, so nothing is said
 * of it from here.
 */
export function isAbandoned(facts: readonly Fact[]): boolean {
  const answer = startAnswer(facts)
  return answer?.granted === false && answer.code === 'already_started'
}

/**
 * An apply on its way whose start is in doubt: in a copy of its directory, since the other one may have begun it; in a new process, since
 * it may have been cancelled meanwhile. The server knows.
 */
function mustAskAgain(facts: readonly Fact[]): boolean {
  const isOnItsWay = has(facts, 'startAsked') && !runsOf(facts, 'apply').some(({ exited }) => exited)
  return isOnItsWay && (has(facts, 'moved') || has(facts, 'startDoubted')) && !startAnswer(facts)
}

/** The gate said yes, and nothing was begun by it: `isClaimed` says whether somebody has claimed the run that is under way. */
export function isStartUnused(facts: readonly Fact[], isClaimed: boolean): boolean {
  const runs = runsOf(facts, 'apply')
  return startAnswer(facts)?.granted === true && (runs.length === 0 || (pendingRun(facts) !== undefined && !isClaimed))
}

/** The attempt goes no further: it failed, was cancelled, was refused, or a command ended with an error. */
export function isStopped(facts: readonly Fact[]): boolean {
  return has(facts, 'failed') || has(facts, 'cancelRequested') || isRefused(facts) || hasFailedRun(facts)
}

function forwardStep(facts: readonly Fact[]): Step | undefined {
  if (!has(facts, 'fetched')) return 'fetch'
  if (!has(facts, 'prepared')) return 'prepare'
  if (!has(facts, 'engineFound')) return 'find_engine'
  return first(facts, 'offered')?.action === 'apply' ? applyStep(facts) : planStep(facts)
}

function planStep(facts: readonly Fact[]): Step | undefined {
  if (!isInitialised(facts)) return 'init'
  if (!hasSucceeded(facts, 'plan')) return 'plan'
  if (!has(facts, 'planShown')) return 'show'
  if (isPlanKept(facts) && !has(facts, 'planPacked')) return 'save_plan'
  return undefined
}

/** The plan may be applied later: then the server keeps it. */
function isPlanKept(facts: readonly Fact[]): boolean {
  const taskType = first(facts, 'fetched')?.taskType
  return taskType !== undefined && mayApply(taskType) && first(facts, 'planShown')?.hasChanges === true
}

function applyStep(facts: readonly Fact[]): Step | undefined {
  if (!has(facts, 'planRestored')) return 'restore_plan'
  if (!isInitialised(facts)) return 'init'
  if (!startAnswer(facts) && runsOf(facts, 'apply').length === 0) return 'start_gate'
  if (!hasSucceeded(facts, 'apply')) return 'apply'
  return undefined
}

function closingStep(facts: readonly Fact[]): Step {
  if (runsOf(facts, 'apply').length > 0 && !has(facts, 'statesCollected')) return 'collect_states'
  if (hasBrokenApply(facts) && !has(facts, 'unrecordedListed')) return 'list_unrecorded'
  return has(facts, 'released') ? 'finish' : 'release'
}

/** Init ran, or was skipped and terraform has not contradicted. */
function isInitialised(facts: readonly Fact[]): boolean {
  if (hasSucceeded(facts, 'init')) return true
  return has(facts, 'initSkipped') && !facts.some((fact) => fact.fact === 'exited' && fact.needsInit === true)
}

function hasSucceeded(facts: readonly Fact[], command: 'init' | 'plan' | 'apply'): boolean {
  return runsOf(facts, command).some(({ exited }) => exited?.code === 0)
}

/** Terraform applied and did not say that all went well: its states may lack what it created. */
function hasBrokenApply(facts: readonly Fact[]): boolean {
  const code = runsOf(facts, 'apply').at(-1)?.exited?.code
  return code !== undefined && code !== 0 && code !== notStartedCode
}

function hasFailedRun(facts: readonly Fact[]): boolean {
  return facts.some((fact) => fact.fact === 'exited' && fact.code !== 0 && fact.needsInit !== true)
}

function isRefused(facts: readonly Fact[]): boolean {
  return startAnswer(facts)?.granted === false
}
