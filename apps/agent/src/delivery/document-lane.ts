/** Brings one thing that goes as a whole to the server: the list of unrecorded resources, the plan archive, or the redacted plan-json. */
import { has } from '../journal/attempt-facts.js'
import type { AttemptLayout } from '../journal/layout.js'
import type { DataAccessor, Receipt } from '../server-api/data-accessor.js'
import type { Bell } from './bell.js'
import type { Courier, CourierDeps } from './courier.js'
import { unsentItems } from './unsent.js'

type Document = 'unrecorded' | 'plan' | 'plan_json'

const documents: Record<
  Document,
  { fileOf(layout: AttemptLayout): string; send(accessor: DataAccessor, file: string): Promise<Receipt> }
> = {
  unrecorded: { fileOf: (layout) => layout.unrecorded, send: (accessor, file) => accessor.saveUnrecorded(file) },
  plan: { fileOf: (layout) => layout.planArchive, send: (accessor, file) => accessor.savePlan(file) },
  plan_json: { fileOf: (layout) => layout.planJson, send: (accessor, file) => accessor.savePlanJson(file) },
}

/** Ends when the attempt has an outcome and it is settled (or was never made), or on abort. */
export async function runDocumentLane(
  item: Document,
  { journal, layout }: CourierDeps,
  courier: Courier,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const { fileOf, send } = documents[item]
  const file = fileOf(layout)
  while (!signal.aborted) {
    const { rings } = bell
    if (unsentItems(journal.facts).includes(item))
      await courier.deliver({ item, file, send: (accessor) => send(accessor, file) })
    else if (has(journal.facts, 'outcome')) return
    else await bell.wait(rings, signal)
  }
}
