/** The stored log of each attempt is, byte for byte, what its terraform printed. */
import type { Breach, KeptData, StoredLog, TaskEvidence } from './evidence.js'
import type { FakeRun } from './fake-runs.js'
import { ticksOf } from './modules.js'

/**
 * Whether an attempt's disk was full while it ran: `told` when its agent was awake then and must have noticed, `untold` when it was dead or
 * stopped: what a terraform prints meanwhile vanishes without a trace.
 */
export type Torn = 'no' | 'told' | 'untold'

export interface LogContext {
  tornOf(attempt: string): Torn
  /** Attempts whose terraform we killed. */
  readonly killed: ReadonlySet<string>
  /** What agents hold of tasks that a restored server does not know. */
  readonly kept: readonly KeptData[]
}

export function checkLogs(evidence: TaskEvidence, { tornOf, killed, kept }: LogContext): Breach[] {
  const { history, task, logs } = evidence
  const { module } = history.workspace
  if ('real' in module) {
    const ticks = ticksOf(module.real)
    return logs.flatMap((log) => checkTicks(evidence, log, ticks, tornOf(`${history.id}-${log.attempt}`)))
  }
  const names = new Set(evidence.runs.map(({ attempt }) => attempt))
  return [...names].flatMap((name) => {
    const runs = evidence.runs.filter(({ attempt }) => attempt === name)
    const number = Number(name.split('-')[1])
    const log = task === undefined ? keptLog(name, kept) : logs.find(({ attempt }) => attempt === number)
    // A cancel kills too, in the end; whom it hits early has not even begun to note.
    const isKilled = killed.has(name) || history.cancels.length > 0 || runs.some(({ ended }) => ended === undefined)
    const note = notesOf(evidence, number, log?.text ?? '')
    const tails = ['', note, ...(isKilled ? ['Killed\n', `Killed\n${note}`] : [])]
    return checkFake(`the log of attempt ${name}`, runs, log, tails, tornOf(name))
  })
}

function keptLog(name: string, kept: readonly KeptData[]): Pick<StoredLog, 'state' | 'text'> | undefined {
  const found = kept.find(({ attempt }) => attempt === name)
  return found && { state: 'complete', text: found.log }
}

/**
 * What the agent itself may add at the end: why it failed, the beginning of the task's own reason. That of a former attempt nobody keeps,
 * nor that of one whose end a cancel came before.
 */
function notesOf({ task, runs }: TaskEvidence, attempt: number, stored: string): string {
  const [note = '', said = ''] = /\nError: (.*)\n$/.exec(stored) ?? []
  const isTerraforms = runs.some(({ texts }) => texts.join('').includes(note))
  const isOvertaken = task?.attempt !== attempt || task.status === 'cancelled'
  const isOurs = isOvertaken || task.error_message?.startsWith(said) === true
  return isOurs && !isTerraforms ? note : ''
}

function checkFake(
  what: string,
  runs: readonly FakeRun[],
  log: Pick<StoredLog, 'state' | 'text'> | undefined,
  tails: readonly string[],
  torn: Torn,
): Breach[] {
  const printed = runs.flatMap(({ texts }) => texts).join('')
  const lost = runs.reduce((sum, { lostBytes }) => sum + lostBytes, 0)
  const stored = log?.text ?? ''
  if (torn === 'untold' || (torn === 'told' && log?.state !== 'complete'))
    return isPartOf(stored, printed) ? [] : compare(what, printed, stored)
  const state = log?.state ?? 'missing'
  const unsealed: Breach[] = state === 'complete' ? [] : [{ kind: 'wrong logs', size: 1, what: `${what} is ${state}` }]
  if (lost > 0)
    return [
      ...unsealed,
      { kind: 'wrong logs', size: 1, what: `${what} is complete, though ${lost} bytes never reached the disk` },
    ]
  const possible = possibleTexts(runs).flatMap((text) => tails.map((tail) => text + tail))
  return possible.includes(stored) ? unsealed : [...unsealed, ...compare(what, printed, stored)]
}

/** A terraform that was killed may have been about to print what it noted last; the shell says of it that it was. */
function possibleTexts(runs: readonly FakeRun[]): string[] {
  return runs.reduce(
    (heads: string[], { texts, ended }) => {
      const whole = texts.join('')
      const cut = ended === undefined ? [texts.slice(0, -1).join('')] : []
      return heads.flatMap((head) => [whole, ...cut].map((text) => head + text))
    },
    [''],
  )
}

/** Line by line, in bytes. */
function compare(what: string, printed: string, stored: string): Breach[] {
  const [wanted, found] = [countLines(printed), countLines(stored)]
  const missing = [...wanted].flatMap(([line, times]) => repeat(line, times - (found.get(line) ?? 0)))
  const surplus = [...found].flatMap(([line, times]) => repeat(line, times - (wanted.get(line) ?? 0)))
  const breaches: Breach[] = []
  if (missing.length > 0)
    breaches.push({
      kind: 'lost bytes',
      size: bytesOf(missing),
      what: `${what} lacks ${JSON.stringify(missing[0])} and ${missing.length - 1} more`,
    })
  if (surplus.length > 0)
    breaches.push({
      kind: 'doubled bytes',
      size: bytesOf(surplus),
      what: `${what} has ${JSON.stringify(surplus[0])} and ${surplus.length - 1} more too often`,
    })
  return breaches.length > 0
    ? breaches
    : [{ kind: 'wrong logs', size: 1, what: `${what} has its lines in another order` }]
}

function countLines(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of text.split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1)
  return counts
}

function repeat(line: string, times: number): string[] {
  return Array.from({ length: Math.max(0, times) }, () => line)
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
}

/** Each whole line of `part` stands in `whole`, in that order; its last line may be cut off, and the agent's own remarks stand between. */
function isPartOf(part: string, whole: string): boolean {
  const lines = whole.split('\n')
  let at = 0
  for (const line of part.split('\n').slice(0, -1)) {
    const next = lines.indexOf(line, at)
    if (next >= 0) at = next + 1
    else if (lines.includes(line)) return false
  }
  return true
}

/** Of the real terraform we know the ticks: all of them when it made everything, else as far as it came. */
function checkTicks(
  { task }: TaskEvidence,
  { attempt, phase, state, text }: StoredLog,
  ticks: readonly string[],
  torn: Torn,
): Breach[] {
  if (phase !== 'apply' || (text === '' && attempt !== task?.attempt)) return [] // an offer nobody took
  // Cancelled before anybody took it, or asked for its start when the server was lost: nothing is started, and nobody ever seals it.
  const isNobodys = task?.apply_usage === null && (task.status === 'cancelled' || task.error_code === 'lost')
  if (text === '' && state === 'gap' && isNobodys) return []
  const what = `the log of attempt ${task?.id}-${attempt}`
  const found = [...text.matchAll(/^terraform_data\.r\d+ \(local-exec\): tick ([\d.]+)$/gm)].map(
    ([, tick = '']) => tick,
  )
  const madeAll = task?.status === 'applied' && task.task_type === 'plan_and_apply' && task.attempt === attempt
  if (torn === 'untold' || (torn === 'told' && state !== 'complete'))
    return isPartOf(`${found.join('\n')}\n`, ticks.join('\n')) ? [] : compare(what, ticks.join('\n'), found.join('\n'))
  const due = madeAll ? ticks : ticks.slice(0, found.length)
  const unsealed: Breach[] = state === 'complete' ? [] : [{ kind: 'wrong logs', size: 1, what: `${what} is ${state}` }]
  return due.join() === found.join() ? unsealed : [...unsealed, ...compare(what, due.join('\n'), found.join('\n'))]
}
