/** Which creations of an apply its newest state does not hold, and how far they can be imported. Pure. */
import { limits, type UnrecordedReport, type UnrecordedResource } from '@iac-agent/protocol'
import type { RecordedInstance } from '../state/recorded-instances.js'
import type { Creation } from '../terraform/creations.js'

/** Ids of the objects a state holds, by instance; one without an id counts as `noId`. */
export type InstanceIds = ReadonlyMap<string, readonly string[]>
export const noId = ''

export interface Comparison {
  readonly creations: readonly Creation[]
  /** The state the apply began with. */
  readonly base: InstanceIds
  readonly newest: InstanceIds
  /** Terraform ended by itself: what it knew then is in its newest state, and an error was its last word on a resource. */
  readonly isStateFinal: boolean
}

/** In the order in which terraform began them. */
export function unrecordedCreations({ creations, base, newest, isStateFinal }: Comparison): Creation[] {
  return creations.filter((creation) => {
    if (creation.end === 'errored' && isStateFinal) return false
    const ids = newest.get(instanceOf(creation)) ?? []
    if (creation.id !== undefined) return !ids.includes(creation.id)
    const before = base.get(instanceOf(creation)) ?? []
    const isNew = (id: string) => !before.includes(id) || (id === noId && isStateFinal)
    return !ids.some(isNew)
  })
}

/** One name for what a state and an event call the same instance. */
export function instanceOf({ module, type, name, key }: RecordedInstance | Creation): string {
  return JSON.stringify([module, type, name, key])
}

/**
 * Counts all and lists what fits, what is certain first.
 * @param replaced instances of which the newest state holds another object
 * @param redact hides the secrets of a text
 */
export function reportOf(
  unrecorded: readonly Creation[],
  replaced: ReadonlySet<string>,
  redact: (text: string) => string,
): UnrecordedReport {
  const created = unrecorded.filter(({ end }) => end === 'complete')
  const possible = unrecorded.filter(({ end }) => end !== 'complete')
  const report: UnrecordedReport = { created: created.length, may_exist: possible.length, items: [] }
  let bytes = 0
  for (const creation of [...created, ...possible]) {
    const item = itemOf(creation, replaced.has(instanceOf(creation)), redact)
    bytes += JSON.stringify(item).length * worstBytesPerCharacter
    if (report.items.length === limits.unrecordedResources || bytes > limits.jsonBodyBytes) break
    report.items.push(item)
  }
  return report
}

const worstBytesPerCharacter = 3

function itemOf(creation: Creation, isReplaced: boolean, redact: (text: string) => string): UnrecordedResource {
  const address = redact(creation.address)
  const hasSecret = address !== creation.address || redact(creation.id ?? '') !== (creation.id ?? '')
  const isTooLong = Math.max(address.length, creation.id?.length ?? 0) > limits.unrecordedTextLength
  return {
    address: address.slice(0, limits.unrecordedTextLength),
    id: hasSecret || isTooLong ? null : (creation.id ?? null),
    certainty: creation.end === 'complete' ? 'created' : 'may_exist',
    note: noteOf({ creation, isReplaced, hasSecret, isTooLong }),
  }
}

function noteOf(of: {
  creation: Creation
  isReplaced: boolean
  hasSecret: boolean
  isTooLong: boolean
}): string | null {
  if (of.hasSecret) return 'Its address or id holds a sensitive value: look it up at the provider.'
  if (of.isTooLong) return 'Its address or id is too long to be told.'
  if (of.creation.id === undefined && of.creation.end === 'complete')
    return 'Terraform did not tell its id: look it up at the provider.'
  if (of.creation.end === 'errored') return 'Its creation failed half-way: look for it at the provider.'
  if (of.creation.end === undefined) return 'Its creation had begun when terraform ended: look for it at the provider.'
  if (!of.isReplaced) return null
  return (
    'It replaces the object that the state still has at this address, and terraform ignores an import there: ' +
    'let terraform forget that one first (a removed block with destroy = false in place of the resource).'
  )
}
