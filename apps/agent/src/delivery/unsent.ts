/** What of an attempt the server has not acknowledged: read from its facts alone, pure. */
import { all, first, has } from '../journal/attempt-facts.js'
import type { Fact, Item, StateReceived } from '../journal/attempt-record.js'

/** Acknowledged, or refused for good: nothing more is sent of it. */
export function isSettled(facts: readonly Fact[], item: Item, name?: string): boolean {
  return facts.some(
    (fact) =>
      (fact.fact === 'delivered' || fact.fact === 'refused') &&
      fact.item === item &&
      (name === undefined || fact.name === name),
  )
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
  return isSettled(facts, 'status') && unsentItems(facts).length === 0
}
