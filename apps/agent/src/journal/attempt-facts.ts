/** Reads questions off an attempt's facts; the order of lines is the order of events. */
import type { Fact } from './attempt-record.js'

export type FactOf<Kind extends Fact['fact']> = Extract<Fact, { fact: Kind }>

/** The first fact of a kind; undefined when it has not happened. */
export function first<Kind extends Fact['fact']>(facts: readonly Fact[], kind: Kind): FactOf<Kind> | undefined {
  return facts.find((fact): fact is FactOf<Kind> => fact.fact === kind)
}

/** The newest fact of a kind. */
export function last<Kind extends Fact['fact']>(facts: readonly Fact[], kind: Kind): FactOf<Kind> | undefined {
  return facts.findLast((fact): fact is FactOf<Kind> => fact.fact === kind)
}

/** All facts of a kind, oldest first. */
export function all<Kind extends Fact['fact']>(facts: readonly Fact[], kind: Kind): FactOf<Kind>[] {
  return facts.filter((fact): fact is FactOf<Kind> => fact.fact === kind)
}

/** True once a fact of this kind is recorded. */
export function has(facts: readonly Fact[], kind: Fact['fact']): boolean {
  return facts.some((fact) => fact.fact === kind)
}

function since(facts: readonly Fact[], ...kinds: Fact['fact'][]): readonly Fact[] {
  return facts.slice(facts.findLastIndex(({ fact }) => kinds.includes(fact)) + 1)
}

/** The question asked of the start gate in this directory: what a copy brought along is left out. */
export function startQuestion(facts: readonly Fact[]): FactOf<'startAsked'> | undefined {
  return first(since(facts, 'moved'), 'startAsked')
}

/** The answer that counts. */
export function startAnswer(facts: readonly Fact[]): FactOf<'startAnswered'> | undefined {
  return first(since(facts, 'moved', 'startDoubted'), 'startAnswered')
}

/** The terraform commands of an attempt. */
export type Command = 'init' | 'plan' | 'show' | 'apply'

/** Every run of a command, oldest first, with its exit once it has one. */
export function runsOf(
  facts: readonly Fact[],
  command: Command,
): { run: string; exited: FactOf<'exited'> | undefined }[] {
  return all(facts, 'spawning')
    .filter(({ run }) => run.startsWith(`${command}-`))
    .map(({ run }) => ({ run, exited: all(facts, 'exited').find((exit) => exit.run === run) }))
}

/** The facts that name a run. */
export function ofRun(facts: readonly Fact[], run: string): Fact[] {
  return facts.filter((fact) => 'run' in fact && fact.run === run)
}

/** Somebody wants the attempt to stop, or the run is beyond a limit. */
export function isToStop(facts: readonly Fact[], run: string): boolean {
  return has(facts, 'cancelRequested') || has(ofRun(facts, run), 'limitExceeded')
}

/** The run that was spawned and whose end is not recorded: it may be alive. */
export function pendingRun(facts: readonly Fact[]): FactOf<'spawning'> | undefined {
  const ended = new Set(all(facts, 'exited').map(({ run }) => run))
  return all(facts, 'spawning').find(({ run }) => !ended.has(run))
}

/** The command of a run, from its name. */
export function commandOf(run: string): Command {
  return run.split('-')[0] as Command
}

/** Name of the next run of a command: `plan-1`, then `plan-2`. */
export function nextRunName(facts: readonly Fact[], command: Command): string {
  return `${command}-${runsOf(facts, command).length + 1}`
}
