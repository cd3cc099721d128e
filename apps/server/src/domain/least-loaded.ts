/** Slots by their load, so that many plans find the least loaded agent of thousands without looking at all of them each time. */
import type { Slot } from './placement-slot.js'

/** A slot with the load it had when it was put where it is: a slot that has taken more since is moved when it comes up. */
interface Entry {
  readonly slot: Slot
  load: number
  planRunning: number
}

/** A binary heap. In a pass loads only rise and room only shrinks: so what has no room is dropped for good. */
export class LeastLoaded {
  readonly #heap: Entry[]

  constructor(slots: readonly Slot[]) {
    this.#heap = slots.filter((slot) => slot.hasRoom('plan')).map(entryOf)
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at)
  }

  /** The least loaded slot with room for a plan that `suits`; undefined when there is none. */
  find(suits: (slot: Slot) => boolean): Slot | undefined {
    const unsuited: Entry[] = []
    let found: Slot | undefined
    for (let top = this.#top(); top !== undefined; top = this.#top()) {
      if (suits(top.slot)) {
        found = top.slot
        break
      }
      unsuited.push(top)
      this.#drop()
    }
    for (const entry of unsuited) this.#add(entry)
    return found
  }

  /** Whether any slot has room for a plan. */
  get hasRoom(): boolean {
    return this.#top() !== undefined
  }

  #top(): Entry | undefined {
    for (;;) {
      const [top] = this.#heap
      if (top === undefined) return undefined
      const { slot } = top
      if (!slot.hasRoom('plan')) {
        this.#drop()
        continue
      }
      if (top.load === slot.load && top.planRunning === slot.planRunning) return top
      this.#heap[0] = entryOf(slot)
      this.#sink(0)
    }
  }

  #drop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #add(entry: Entry): void {
    let at = this.#heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(at, above)) return
      this.#swap(at, above)
      at = above
    }
  }

  #sink(from: number): void {
    let at = from
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      if (this.#isBefore(left, least)) least = left
      if (this.#isBefore(right, least)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return false
    const order = one.load - other.load || one.planRunning - other.planRunning
    return order === 0 ? one.slot.agent.agentId < other.slot.agent.agentId : order < 0
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return
    this.#heap[a] = other
    this.#heap[b] = one
  }
}

function entryOf(slot: Slot): Entry {
  return { slot, load: slot.load, planRunning: slot.planRunning }
}
