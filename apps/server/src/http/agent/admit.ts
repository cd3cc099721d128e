/** Asks the fence before a large body is taken in. */
import type { AgentCaller } from '../../domain/attempts/agent-caller.js'
import { requireAttemptRead } from '../../domain/attempts/require-attempt.js'
import type { Store } from '../../store/store.js'

/** Throws as the fence does, for an unknown task or somebody else's; what stores the body asks again. */
export async function admit(deps: { store: Store }, caller: AgentCaller, taskId: number): Promise<void> {
  await deps.store.read((reader) => requireAttemptRead(reader, caller, taskId))
}
