/** Every state that terraform was told is safe reached the server, and the newest one has every resource that was reported made. */
import type { Breach, Evidence, TaskEvidence, WorkspaceEvidence } from './evidence.js'
import type { FakeRun } from './fake-runs.js'

export function checkStates({ workspaces, tasks, leftovers }: Evidence): Breach[] {
  const kept = new Set(leftovers.flatMap(({ unknown }) => unknown.flatMap(({ stateChecksums }) => stateChecksums)))
  return workspaces.flatMap((workspace) => {
    const own = tasks.filter(({ history }) => history.workspaceId === workspace.id)
    return 'fake' in workspace.planned.module ? checkFake(workspace, own, kept) : checkReal(workspace, own)
  })
}

function checkFake(
  { planned, versions, current = new Map() }: WorkspaceEvidence,
  tasks: readonly TaskEvidence[],
  kept: ReadonlySet<string>,
): Breach[] {
  const runs = tasks.flatMap((task) => task.runs).sort((one, other) => one.beganAt - other.beganAt)
  const stored = new Set(versions.map(({ checksum }) => checksum))
  const posted = runs.flatMap((run) => run.posted)
  const breaches: Breach[] = posted
    .filter(({ sha256 }) => !stored.has(sha256) && !kept.has(sha256))
    .map(({ serial }) => ({
      kind: 'lost states',
      size: 1,
      what: `state ${serial} of ${planned.name} is neither on the server nor kept`,
    }))
  // What a task did that nobody knows any more is for a person to compare: its agent keeps the states.
  if (tasks.some(({ fate, runs: own }) => fate === 'gone' && own.some(({ command }) => command === 'apply')))
    return breaches
  const newest = posted.reduce((most, { serial }) => Math.max(most, serial), 0)
  const held = versions.find((version) => version.current)?.serial ?? 0
  if (held < newest) breaches.push(wrong(`the current state of ${planned.name} is ${held}, the newest ${newest}`))
  const { made, inDoubt } = outcomeOf(runs)
  for (const [address, id] of made) {
    if (!inDoubt.has(address) && current.get(address) !== id)
      breaches.push(wrong(`${address} (${id}) of ${planned.name} is ${current.get(address) ?? 'missing'}`))
  }
  for (const address of current.keys()) {
    if (!inDoubt.has(address) && !made.has(address))
      breaches.push(wrong(`${planned.name} has ${address}, which nobody made`))
  }
  return breaches
}

/** What the applies said, one after the other. `inDoubt`: who is killed may have saved a state and not said so of the last one it began. */
function outcomeOf(runs: readonly FakeRun[]) {
  const made = new Map<string, string>()
  const inDoubt = new Set<string>()
  for (const { texts, completed, ended, interrupts } of runs) {
    for (const { address, id } of completed) {
      inDoubt.delete(address)
      if (id === undefined) made.delete(address)
      else made.set(address, id)
    }
    const wasKilled = ended === undefined || interrupts > 1
    const last = [...texts.join('').matchAll(/^(\S+): (?:Creating|Destroying)\.\.\./gm)].at(-1)?.[1]
    if (wasKilled && last !== undefined && completed.at(-1)?.address !== last) inDoubt.add(last)
  }
  return { made, inDoubt }
}

/** The real terraform says in its log what it made; of one that was killed, the server lists what no state holds. */
function checkReal({ planned, current = new Map() }: WorkspaceEvidence, tasks: readonly TaskEvidence[]): Breach[] {
  const made = new Map<string, string>()
  const unrecorded = new Set(tasks.flatMap((task) => task.unrecorded))
  for (const { logs } of [...tasks].sort((one, other) => beganAt(one) - beganAt(other))) {
    for (const { text } of logs.filter(({ phase }) => phase === 'apply')) {
      for (const [, address = '', id = ''] of text.matchAll(
        /^(\S+): Creation complete after \S+ \[id=([0-9a-f-]+)\]$/gm,
      ))
        made.set(address, id)
      for (const [, address = ''] of text.matchAll(/^(\S+): Destruction complete after/gm)) made.delete(address)
    }
  }
  return [...made]
    .filter(([address, id]) => current.get(address) !== id && !unrecorded.has(address))
    .map(([address, id]) => wrong(`${address} (${id}) of ${planned.name} is ${current.get(address) ?? 'missing'}`))
}

/** Its first apply. Tasks that a restore held up may run in another order than they were planned in. */
function beganAt({ runs }: TaskEvidence): number {
  return Math.min(...runs.filter(({ command }) => command === 'apply').map((run) => run.beganAt))
}

function wrong(what: string): Breach {
  return { kind: 'wrong states', size: 1, what }
}
