/** Which handler takes which message of the server. */
import { assertNever, type ServerMessage } from '@iac-agent/protocol'
import type { Logger } from '@iac-agent/runtime'
import type { Attempts } from './attempts.js'
import type { DaemonState } from './daemon-state.js'
import type { Offers } from './offers.js'
import type { StoreLife } from './store-life.js'

export interface DispatchParts {
  attempts: Attempts
  offers: Offers
  state: DaemonState
  life: StoreLife
  log: Logger
}

/** Handles one message; never throws and never waits: handlers go on by themselves, and what they could not do is said again. */
export function dispatch(parts: DispatchParts, message: ServerMessage): void {
  handle(parts, message).catch((error: unknown) =>
    parts.log.error({ err: error, type: message.type }, 'message not handled'),
  )
}

async function handle({ attempts, offers, state, life, log }: DispatchParts, message: ServerMessage): Promise<void> {
  switch (message.type) {
    case 'welcome':
    case 'heartbeat_ack':
      state.isDrainedByServer = message.payload.draining
      if (message.payload.store_epoch !== undefined) life.saw(message.payload.store_epoch)
      return await attempts.desire(message.payload.desired)
    case 'run_task':
      return await offers.take(message.payload)
    case 'cancel_task':
      return await attempts.cancel(message.payload)
    case 'start_realtime_stream':
      return attempts.watch(message.payload.task_id, true)
    case 'stop_realtime_stream':
      return attempts.watch(message.payload.task_id, false)
    case 'log_ack':
      return attempts.acknowledgeLive(message.payload)
    case 'drain':
      log.info({ reason: message.payload.reason }, 'drained by the server')
      state.isDrainedByServer = true
      return
    default:
      return assertNever(message)
  }
}
