/** Brings what goes as a whole to the server: the list of unrecorded resources, the plan archive, the redacted plan-json. */
import { has } from '../journal/attempt-facts.js'
import type { Bell } from './bell.js'
import type { Courier, CourierDeps } from './courier.js'
import { unsentItems } from './unsent.js'

/** Ends when the attempt has an outcome and each is settled (or was never made), or on abort. */
export async function runDocumentLane(
  { journal, layout }: CourierDeps,
  courier: Courier,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { rings } = bell
    const items = unsentItems(journal.facts)
    if (items.includes('unrecorded')) {
      const file = layout.unrecorded
      await courier.deliver({ item: 'unrecorded', file, send: (accessor) => accessor.saveUnrecorded(file) })
    } else if (items.includes('plan')) {
      const file = layout.planArchive
      await courier.deliver({ item: 'plan', file, send: (accessor) => accessor.savePlan(file) })
    } else if (items.includes('plan_json')) {
      const file = layout.planJson
      await courier.deliver({ item: 'plan_json', file, send: (accessor) => accessor.savePlanJson(file) })
    } else if (has(journal.facts, 'outcome')) return
    else await bell.wait(rings, signal)
  }
}
