/** An agent as a pass of placement goes on: what it was given, and whether an apply waits for it to become empty. */
import type { Phase } from '@iac-agent/protocol'
import type { PlacementAgent, PlacementTask } from './placement-facts.js'

export class Slot {
  /** The agent an apply waits for is fed no more plans, or it would never be empty. */
  isReserved: boolean = false
  #planRunning: number
  #applyRunning: number
  #workspaceIds: readonly string[]

  constructor(readonly agent: PlacementAgent) {
    this.#planRunning = agent.planRunning
    this.#applyRunning = agent.applyRunning
    this.#workspaceIds = agent.workspaceIds
  }

  get planRunning(): number {
    return this.#planRunning
  }

  /** 1 is full of plans. It only rises in a pass, as room only shrinks. */
  get load(): number {
    return (this.#planRunning + this.#applyRunning) / Math.max(1, this.agent.planLimit)
  }

  hasRoom(phase: Phase): boolean {
    if (this.#applyRunning > 0) return false
    if (phase === 'apply') return this.#planRunning === 0
    return !this.isReserved && this.#planRunning < this.agent.planLimit
  }

  /** Two runs of one workspace would share a work directory. */
  holds(workspaceId: string): boolean {
    return this.#workspaceIds.includes(workspaceId)
  }

  take({ phase, workspaceId }: PlacementTask): void {
    if (phase === 'apply') this.#applyRunning += 1
    else this.#planRunning += 1
    this.#workspaceIds = [...this.#workspaceIds, workspaceId]
  }
}

export function byLoad(a: Slot, b: Slot): number {
  return a.load - b.load || a.planRunning - b.planRunning || (a.agent.agentId < b.agent.agentId ? -1 : 1)
}
