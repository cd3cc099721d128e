/** The instants between two durable steps at which a test can kill the agent (`IAC_CRASH_POINT=<name>`). */
import { defineCrashPoints } from '@iac-agent/runtime'
import type { Command } from './attempt-facts.js'

/** SIGKILLs this process when the named point is the wanted one; free otherwise. */
export const crashPoint = defineCrashPoints([
  'offer.journaled',
  'offer.claimed',
  'offer.accepted',
  'fetch.stored',
  'fetch.recorded',
  'prepare.written',
  'prepare.recorded',
  'find_engine.found',
  'cgroup.made',
  'run.init.intended',
  'run.init.started',
  'run.init.ended',
  'run.init.recorded',
  'run.plan.intended',
  'run.plan.started',
  'run.plan.ended',
  'run.plan.recorded',
  'run.show.intended',
  'run.show.started',
  'run.show.ended',
  'run.show.recorded',
  'run.apply.intended',
  'run.apply.started',
  'run.apply.ended',
  'run.apply.recorded',
  'show.redacted',
  'save_plan.packed',
  'restore_plan.restored',
  'start_gate.asked',
  'start_gate.granted',
  'start_gate.recorded',
  'state.stored',
  'state.recorded',
  'cancel.interrupt.intended',
  'cancel.interrupt.sent',
  'cancel.interrupt_again.intended',
  'cancel.interrupt_again.sent',
  'cancel.kill.intended',
  'cancel.kill.sent',
  'limit.recorded',
  'collect_states.collected',
  'list_unrecorded.written',
  'list_unrecorded.recorded',
  'cgroup.removed',
  'release.cleaned',
  'release.released',
  'finish.recorded',
  'delivery.state.sent',
  'delivery.unrecorded.sent',
  'delivery.plan.sent',
  'delivery.plan_json.sent',
  'delivery.progress.sent',
  'delivery.log.sent',
  'delivery.log.sealed',
  'delivery.status.sent',
  'delivery.recorded',
  'attempt.whole',
  'attempt.stripped',
  'attempt.left',
  'resend.recorded',
])

/** Instants in a command's supervisor, in order; at `starting` and `named` the shell dies that is to become the command. */
export const supervisorPoints = [
  'supervisor.begun',
  'supervisor.claimed',
  'supervisor.starting',
  'supervisor.named',
  'supervisor.orphaned',
  'supervisor.ended',
  'supervisor.exited',
  'supervisor.counted',
  'supervisor.sweeping',
]

/** What a command's supervisor is told when it is to die: `IAC_CRASH_POINT=supervisor.ended@apply` lets that of the apply do so. */
export function supervisorCrashPoint(command: Command): Record<string, string> {
  const [point, wanted] = (process.env.IAC_CRASH_POINT ?? '').split('@')
  return wanted === command ? { IAC_CRASH_POINT: point ?? '' } : {}
}
