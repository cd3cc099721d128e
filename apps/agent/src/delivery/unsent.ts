/** What of an attempt the server has not acknowledged: read from its facts alone, pure. */
import { all, first, has, last } from '../journal/attempt-facts.js'
import type { Fact, Item, StateReceived } from '../journal/attempt-record.js'

/** The life of the server's store that acknowledgements must be of, or later; undefined while there was only one. */
export function lifeOf(facts: readonly Fact[]): number | undefined {
  return last(facts, 'resend')?.epoch
}

/** Acknowledged in the store's present life, or refused for good: nothing more is sent of it. */
export function isSettled(facts: readonly Fact[], item: Item, name?: string): boolean {
  const life = lifeOf(facts) ?? 0
  return facts.some(
    (fact) =>
      (fact.fact === 'refused' || (fact.fact === 'delivered' && epochOf(fact) >= life)) &&
      fact.item === item &&
      (name === undefined || fact.name === name),
  )
}

/** The server said, in its store's present life, that it has no such attempt. */
export function isUnknown(facts: readonly Fact[]): boolean {
  return facts.findLast(({ fact }) => fact === 'unknownToServer' || fact === 'resend')?.fact === 'unknownToServer'
}

/** Something was acknowledged, or called unknown, in an earlier life than `epoch`, and is not yet to be sent again. */
export function isOfEarlierLife(facts: readonly Fact[], epoch: number): boolean {
  if ((lifeOf(facts) ?? 0) >= epoch) return false
  const answers = facts.filter((fact) => fact.fact === 'delivered' || fact.fact === 'unknownToServer')
  const said = answers.flatMap((answer) => answer.epoch ?? [])
  return said.length === 0 ? answers.length > 0 && epoch > 1 : Math.min(...said) < epoch
}

/** The earliest life of the store that acknowledged what counts as sent; undefined while no life is known to. */
export function acknowledgedIn(facts: readonly Fact[]): number | undefined {
  const life = lifeOf(facts) ?? 0
  const lives = all(facts, 'delivered').flatMap(({ epoch }) => epoch ?? []) // nothing to send is there in any life
  const counted = lives.filter((epoch) => epoch >= life)
  return counted.length === 0 ? undefined : Math.min(...counted)
}

/** A server that does not say is in its first life. */
function epochOf({ epoch = 1 }: { epoch?: number }): number {
  return epoch
}

/** States of ours that wait to be sent, oldest first. */
export function unsentStates(facts: readonly Fact[]): StateReceived[] {
  return all(facts, 'stateReceived').filter((state) => state.isOurs && !isSettled(facts, 'state', state.file))
}

/**
 * The state to send next: the newest, but among those of its serial the oldest first, since of equal serials the server takes
 * the later to come.
 */
export function nextStateToSend(facts: readonly Fact[]): StateReceived | undefined {
  const states = unsentStates(facts)
  const newest = states.at(-1)
  return states.find(({ serial }) => serial === newest?.serial)
}

/** What is there and not settled, in the order of its worth. `log` and `status` count from the beginning: they always come. */
export function unsentItems(facts: readonly Fact[]): Item[] {
  if (isUnknown(facts)) return []
  const items: Item[] = []
  if (unsentStates(facts).length > 0) items.push('state')
  if (isUnrecordedKnown(facts) && !isSettled(facts, 'unrecorded')) items.push('unrecorded')
  if (has(facts, 'planPacked') && !isSettled(facts, 'plan')) items.push('plan')
  if (has(facts, 'planJsonSaved') && !isSettled(facts, 'plan_json')) items.push('plan_json')
  if (first(facts, 'offered')?.action === 'apply' && !isSettled(facts, 'progress')) items.push('progress')
  if (!isSettled(facts, 'log')) items.push('log')
  if (!isSettled(facts, 'status')) items.push('status')
  return items
}

function isUnrecordedKnown(facts: readonly Fact[]): boolean {
  return first(facts, 'unrecordedListed')?.created !== undefined
}

/** The final status may be told: it is known, and the server has all that it speaks of. */
export function isStatusDue(facts: readonly Fact[]): boolean {
  const items = unsentItems(facts)
  return has(facts, 'outcome') && items.length === 1 && items[0] === 'status'
}

/** Nothing more will be sent of this attempt. */
export function isAllSettled(facts: readonly Fact[]): boolean {
  return isUnknown(facts) || (isSettled(facts, 'status') && unsentItems(facts).length === 0)
}
