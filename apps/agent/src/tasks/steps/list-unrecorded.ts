/** Compares what the apply says it created with the newest state, and lists what that one does not hold. */
import { join } from 'node:path'
import { writeFileAtomic } from '@iac-agent/runtime'
import { all, first, runsOf } from '../../journal/attempt-facts.js'
import type { Fact, StateReceived } from '../../journal/attempt-record.js'
import { crashPoint } from '../../journal/crash-points.js'
import { redactText } from '../../logs/redactor.js'
import { readInstances } from '../../state/recorded-instances.js'
import { readCreations } from '../../terraform/creations.js'
import type { Attempt } from '../attempt.js'
import { type InstanceIds, instanceOf, noId, reportOf, unrecordedCreations } from '../unrecorded-resources.js'

export async function listUnrecordedStep(attempt: Attempt): Promise<void> {
  const { journal, layout } = attempt.parts
  const { facts } = journal
  const from = all(facts, 'spawning').findLast(({ run }) => run.startsWith('apply-'))?.outputOffset ?? 0
  const creations = await readCreations({ path: layout.output, from })
  const wanted = new Set(creations.map(instanceOf))
  const base = first(facts, 'fetched')?.hasState ? await idsIn(layout.baseState, wanted) : new Map()
  const written = newestState(facts)
  const newest = written ? await idsIn(join(layout.states, written.file), wanted) : base
  const unrecorded = unrecordedCreations({ creations, base, newest, isStateFinal: isStateFinal(facts) })
  const redaction = await attempt.redaction()
  const report = reportOf(unrecorded, new Set(newest.keys()), (text) => redactText(redaction, text))
  await writeFileAtomic(layout.unrecorded, JSON.stringify(report))
  crashPoint('list_unrecorded.written')
  await journal.append({ fact: 'unrecordedListed', created: report.created, mayExist: report.may_exist })
  crashPoint('list_unrecorded.recorded')
}

/** The one that counts: of the highest serial the last. */
function newestState(facts: readonly Fact[]): StateReceived | undefined {
  const states = all(facts, 'stateReceived').filter(({ isOurs }) => isOurs)
  return states.reduce<StateReceived | undefined>(
    (newest, state) => (newest === undefined || state.serial >= newest.serial ? state : newest),
    undefined,
  )
}

/** Terraform's own exit code for an error, and nobody made it end before it was done. */
function isStateFinal(facts: readonly Fact[]): boolean {
  const isPushed = all(facts, 'signalling').some(({ rung }) => rung !== 'interrupt')
  return runsOf(facts, 'apply').at(-1)?.exited?.code === 1 && !isPushed
}

/** Of the instances in `wanted` alone: a state may hold many more. */
async function idsIn(path: string, wanted: ReadonlySet<string>): Promise<InstanceIds> {
  const ids = new Map<string, string[]>()
  if (wanted.size === 0) return ids
  await readInstances(path, (instance) => {
    const name = instanceOf(instance)
    if (wanted.has(name)) ids.set(name, [...(ids.get(name) ?? []), instance.id ?? noId])
  })
  return ids
}
