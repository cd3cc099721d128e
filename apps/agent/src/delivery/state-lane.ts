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
      const { file: name, sha256 } = next
      const file = join(layout.states, name)
      await courier.deliver({ item: 'state', name, file, send: (accessor) => accessor.saveState(file, sha256) })
    } else if (has(journal.facts, 'outcome')) return
    else await bell.wait(rings, signal)
  }
}
