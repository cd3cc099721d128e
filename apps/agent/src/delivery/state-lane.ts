/** Brings states to the server as they are written, the newest first: it is the one that counts. */
import { join } from 'node:path'
import { has } from '../journal/attempt-facts.js'
import type { Bell } from './bell.js'
import type { Courier, CourierDeps } from './courier.js'
import { nextStateToSend } from './unsent.js'

/** Ends when the attempt has an outcome and no state is unsent, or on abort. */
export async function runStateLane(
  { journal, layout }: CourierDeps,
  courier: Courier,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { rings } = bell
    const next = nextStateToSend(journal.facts)
    if (next !== undefined) {
      const file = join(layout.states, next.file)
      await courier.deliver({ item: 'state', name: next.file, file, send: (accessor) => accessor.saveState(file) })
    } else if (has(journal.facts, 'outcome')) return
    else await bell.wait(rings, signal)
  }
}
