/** Ends of a command that terraform itself cannot tell: a limit of this agent, or a SIGKILL that is not ours; pure. */
import type { TaskErrorCode } from '@iac-agent/protocol'
import { commandOf, type FactOf } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'
import { mebibytes } from './run-limits.js'

export interface HostVerdict {
  errorCode: TaskErrorCode
  errorMessage: string
}

/** A command that ended with this was killed by SIGKILL. */
const killedCode = 137

/** Why the host ended the run of `exit`, which nobody cancelled (a cancel may have killed it); undefined when terraform ended by itself. */
export function hostVerdict(facts: readonly Fact[], exit: FactOf<'exited'>): HostVerdict | undefined {
  return limitVerdict(facts, exit.run) ?? killVerdict(exit)
}

/** The run went beyond a limit before anybody wanted it to stop: the first cause counts. */
export function limitVerdict(facts: readonly Fact[], run: string): HostVerdict | undefined {
  const cause = facts.find(
    (fact) => fact.fact === 'cancelRequested' || (fact.fact === 'limitExceeded' && fact.run === run),
  )
  return cause?.fact === 'limitExceeded' ? { errorCode: cause.code, errorMessage: cause.message } : undefined
}

function killVerdict(exit: FactOf<'exited'>): HostVerdict | undefined {
  const isMemoryShort = (exit.oomKills ?? 0) > 0
  if (exit.code !== killedCode) return isMemoryShort ? pluginVerdict(exit) : undefined
  const command = `terraform ${commandOf(exit.run)}`
  return isMemoryShort
    ? outOfMemory(`The kernel killed ${command} because memory ran out`, exit)
    : {
        errorCode: 'killed',
        errorMessage: `${command} was killed by SIGKILL, which this agent did not send.${memoryOf(exit)} Ask who did: a person, another program, or the host's limits.`,
      }
}

/** Terraform outlived the kill of one of its plugins, and says so in words of its own. */
function pluginVerdict(exit: FactOf<'exited'>): HostVerdict | undefined {
  const lost = exit.diagnostics?.find(({ summary }) => /^Plugin did not respond|^Request cancelled/.test(summary))
  return (
    lost && outOfMemory(`The kernel killed a plugin of terraform ${commandOf(exit.run)} because memory ran out`, exit)
  )
}

function outOfMemory(what: string, exit: FactOf<'exited'>): HostVerdict {
  return {
    errorCode: 'out_of_memory',
    errorMessage: `${what}.${memoryOf(exit)} Give the agent's host or container more, lower --plan-limit, or set --task-memory-limit, which interrupts terraform in time.`,
  }
}

function memoryOf({ used, hostMemoryBytes }: FactOf<'exited'>): string {
  const known = [
    ...(used?.peakRssBytes === undefined ? [] : [`${mebibytes(used.peakRssBytes)} were seen in use`]),
    ...(hostMemoryBytes === undefined ? [] : [`the host has ${mebibytes(hostMemoryBytes)}`]),
  ]
  return known.length === 0 ? '' : ` Of memory, ${known.join(', ')}.`
}
