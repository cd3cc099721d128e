/** What an attempt came to, decided from its facts alone: final status, counts, and one clear sentence when it failed. */
import { constants } from 'node:os'
import type { TaskErrorCode } from '@iac-agent/protocol'
import { all, type Command, commandOf, first, has, runsOf, startAnswer } from '../journal/attempt-facts.js'
import type { Counts, Diagnostic, Fact } from '../journal/attempt-record.js'
import { notStartedCode } from '../terraform/run-facts.js'
import { hostVerdict, limitVerdict } from './stopped-by-host.js'
import { unrecordedSentence } from './unrecorded-sentence.js'

export interface OutcomeOf {
  status: 'success' | 'applied' | 'failed' | 'cancelled'
  counts?: Counts
  errorCode?: TaskErrorCode
  errorMessage?: string
}

/** The outcome of a closed attempt; `failed` with `agent_fault` when the facts explain nothing. */
export function outcomeOf(facts: readonly Fact[]): OutcomeOf {
  const outcome =
    refusal(facts) ?? done(facts) ?? cancelled(facts) ?? ownFailure(facts) ?? runFailure(facts) ?? unexplained
  const unrecorded = unrecordedSentence(facts)
  if (unrecorded === undefined) return outcome
  const message = outcome.errorMessage?.slice(0, longestBeforeUnrecorded)
  return { ...outcome, errorMessage: message === undefined ? unrecorded : `${message} ${unrecorded}` }
}

/** Characters; leaves room for what follows within the bound of a message. */
const longestBeforeUnrecorded = 3500

/** What only the agent knows about a failure, for the end of the log; undefined when terraform has told it all. */
export function agentsWord(facts: readonly Fact[]): string | undefined {
  const broken = failedRun(facts)
  const verdict = broken === undefined || cancelled(facts) ? undefined : hostVerdict(facts, broken)
  return first(facts, 'failed')?.message ?? verdict?.errorMessage
}

const unexplained: OutcomeOf = {
  status: 'failed',
  errorCode: 'agent_fault',
  errorMessage: 'The agent stopped in the middle of this attempt and nothing of it is left running.',
}

/** The start gate said no. */
function refusal(facts: readonly Fact[]): OutcomeOf | undefined {
  const answer = startAnswer(facts)
  if (answer === undefined || answer.granted) return undefined
  if (answer.code === 'illegal_transition') return { status: 'cancelled' }
  if (answer.code === 'stale_lease') return givenUp
  return failed(
    answer.code === 'plan_stale' ? 'plan_stale' : 'agent_fault',
    answer.message ?? 'The server refused to start the apply.',
  )
}

function done(facts: readonly Fact[]): OutcomeOf | undefined {
  const applied = runsOf(facts, 'apply').find(({ exited }) => exited?.code === 0)
  if (applied) return { status: 'applied', ...(applied.exited?.counts ? { counts: applied.exited.counts } : {}) }
  if (has(facts, 'cancelRequested') || has(facts, 'failed')) return undefined
  const shown = first(facts, 'planShown')
  if (!shown) return undefined
  // Three zeros mean "nothing to apply" to the server; a plan that changes only outputs has something to apply.
  const saysSomething = !shown.hasChanges || shown.counts.add + shown.counts.change + shown.counts.destroy > 0
  return { status: 'success', ...(saysSomething ? { counts: shown.counts } : {}) }
}

/** Somebody asked for it, and the run neither failed before anybody signalled it, nor was beyond a limit before. */
function cancelled(facts: readonly Fact[]): OutcomeOf | undefined {
  if (!has(facts, 'cancelRequested')) return undefined
  const broken = failedRun(facts)
  const wasSignalled = broken !== undefined && all(facts, 'signalling').some(({ run }) => run === broken.run)
  if (broken !== undefined && (!wasSignalled || limitVerdict(facts, broken.run))) return undefined
  const reasons = all(facts, 'cancelRequested').map(({ reason }) => reason)
  if (reasons.every((reason) => reason === 'forgotten')) return givenUp
  return isApplyForced(facts) ? { status: 'cancelled', errorMessage: forcedSentence } : { status: 'cancelled' }
}

/** Nobody cancelled the task: only a server that was restored from a backup, and so wants the attempt again, takes this for its end. */
const givenUp = failed('lost', 'The server gave this attempt up, so it was stopped.')

const forcedSentence = 'The apply was stopped by force, without waiting for the resources in flight.'

function isApplyForced(facts: readonly Fact[]): boolean {
  const isForced = all(facts, 'signalling').some(({ rung }) => rung !== 'interrupt')
  return isForced && runsOf(facts, 'apply').length > 0
}

function ownFailure(facts: readonly Fact[]): OutcomeOf | undefined {
  const failure = first(facts, 'failed')
  return failure && failed(failure.code as TaskErrorCode, failure.message)
}

function runFailure(facts: readonly Fact[]): OutcomeOf | undefined {
  const broken = failedRun(facts)
  if (!broken) return undefined
  const verdict = hostVerdict(facts, broken)
  if (verdict) {
    const more = isApplyForced(facts) ? ` ${forcedSentence}` : ''
    return failed(verdict.errorCode, verdict.errorMessage + more)
  }
  const diagnostics = withoutPreface(broken.diagnostics ?? [])
  const told = diagnostics[0]
  const command = commandOf(broken.run)
  if (!told && has(facts, 'outputTorn'))
    return failed(
      'disk_full',
      `The disk of the agent was full while terraform ${command} ran, which ${endOf(broken.code)}.`,
    )
  if (!told) return failed(codeOf[command], `terraform ${command} ${endOf(broken.code)}.`)
  return failed(classify(command, told), sentenceOf(told, diagnostics.length))
}

/** Init announces that errors follow, as an error. */
function withoutPreface(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const telling = diagnostics.filter(({ summary }) => !/ encountered problems during initiali[sz]ation/.test(summary))
  return telling.length > 0 ? telling : diagnostics
}

/** The command that ended with an error; one that was never started says nothing. */
function failedRun(facts: readonly Fact[]) {
  return all(facts, 'exited').findLast(
    (exit) => exit.code !== 0 && exit.code !== notStartedCode && exit.needsInit !== true,
  )
}

/** A shell's codes above 128 are those of signals. */
function endOf(code: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0]
  return signal === undefined ? `ended with exit code ${code}` : `was ended by ${signal} (exit code ${code})`
}

const codeOf: Record<Command, TaskErrorCode> = {
  init: 'init_failed',
  plan: 'plan_failed',
  show: 'plan_failed',
  apply: 'apply_failed',
}

/** Terraform has no error codes: its summaries are the only sign, and these have been stable since 0.15 (OpenTofu keeps them). */
function classify(command: Command, { summary, detail }: Diagnostic): TaskErrorCode {
  if (/^No value for required variable/.test(summary)) return 'missing_variable'
  if (/no space left on device/i.test(`${summary} ${detail}`)) return 'disk_full'
  if (command === 'apply') return /^Saved plan is stale/.test(summary) ? 'plan_stale' : 'apply_failed'
  if (isProviderTrouble(summary)) return 'provider_unavailable'
  if (/^Unsupported Terraform Core version|^Unsupported OpenTofu Core version/.test(summary))
    return 'terraform_version_unavailable'
  if (isInvalidConfiguration(summary)) return 'configuration_invalid'
  return codeOf[command]
}

function isProviderTrouble(summary: string): boolean {
  return /^(Failed to (query available provider packages|install provider|load plugin schemas|instantiate provider)|Could not (retrieve|load) .*provider|Invalid provider registry host|Incompatible provider version|Required plugins are not installed|Inconsistent dependency lock file|Provider .*not available|Failed to resolve provider packages)/i.test(
    summary,
  )
}

function isInvalidConfiguration(summary: string): boolean {
  return /^(Invalid|Unsupported|Missing|Argument|Unclosed|Unterminated|Duplicate|Reference to undeclared|Unexpected|Extraneous|Attribute redefined|Incorrect attribute|Terraform encountered problems during initialisation|Terraform initialized in an empty directory|No configuration files|Cycle|Self-referential|Call to unknown function|Module not|Unreadable module|JSON|Error in function call|Value for undeclared variable)/.test(
    summary,
  )
}

function sentenceOf({ summary, detail, file, line }: Diagnostic, count: number): string {
  const place = file === undefined ? '' : ` (${file}${line === undefined ? '' : `, line ${line}`})`
  const more = count > 1 ? ` And ${count - 1} more, see the log.` : ''
  const sentence = `${summary}${place}${detail === '' ? '' : `: ${detail}`}`
  return sentence.replace(/\s+/g, ' ').replace(/[.\s]*$/, '.') + more
}

function failed(errorCode: TaskErrorCode, errorMessage: string): OutcomeOf {
  return { status: 'failed', errorCode, errorMessage }
}
