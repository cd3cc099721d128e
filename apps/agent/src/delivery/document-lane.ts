/** Brings the plan archive and the redacted plan-json to the server. */
import { has } from '../journal/attempt-facts.js'
import type { Bell } from './bell.js'
import type { Courier, CourierDeps } from './courier.js'
import { unsentItems } from './unsent.js'

/** Ends when the attempt has an outcome and both are settled (or were never made), or on abort. */
export async function runPlanLane(
  { journal, layout }: CourierDeps,
  courier: Courier,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { rings } = bell
    const items = unsentItems(journal.facts)
    if (items.includes('plan')) {
      const file = layout.planArchive
      await courier.deliver({ item: 'plan', file, send: (accessor) => accessor.savePlan(file) })
    } else if (items.includes('plan_json')) {
      const file = layout.planJson
      await courier.deliver({ item: 'plan_json', file, send: (accessor) => accessor.savePlanJson(file) })
    } else if (has(journal.facts, 'outcome')) return
    else await bell.wait(rings, signal)
  }
}
