/** What changes, as it is committed: a hint to look again. */
import { type Endpoint, taskEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import type { Change, Store } from '../../store/store.js'
import { EventStream, type ServerSentEvent } from '../event-stream.js'
import { route } from '../route.js'

export interface EventRouteDeps {
  store: Store
  /** aborts when the server stops */
  stopping: AbortSignal
}

export function eventRoutes(app: FastifyInstance, { store, stopping }: EventRouteDeps): void {
  const endpoint: Endpoint = taskEndpoints.events
  route(app, endpoint, async ({ reply }) => {
    using events = new EventStream(reply, { stopping, changes: store.changes })
    const waiting = new Map<string, ServerSentEvent>()
    let wake: () => void = () => {}
    const unsubscribe = store.changes.subscribe((changes) => {
      // a slow reader gets each thing once, however often it changed meanwhile
      for (const event of changes.flatMap(eventOf)) waiting.set(JSON.stringify(event), event)
      wake()
    })
    events.signal.addEventListener('abort', () => wake())
    try {
      while (!events.signal.aborted) {
        const batch = [...waiting.values()]
        waiting.clear()
        for (const event of batch) await events.send(event)
        if (waiting.size === 0 && !events.signal.aborted)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      unsubscribe()
    }
    return reply
  })
}

/** Log growth is told by the log's own stream, and credentials are nobody's business. */
function eventOf(change: Change): ServerSentEvent[] {
  switch (change.kind) {
    case 'task':
    case 'resources':
      return [{ event: change.kind, data: { task_id: change.taskId } }]
    case 'workspace':
    case 'state':
      return [{ event: change.kind, data: { workspace_id: change.workspaceId } }]
    case 'agent':
      return [{ event: change.kind, data: { agent_id: change.agentId } }]
    case 'log':
    case 'key':
    case 'token':
      return []
  }
}
