/** Chance that can be had again: every draw follows from a label alone, so a schedule depends on its seed and on nothing that happened. */
import { createHash } from 'node:crypto'

/** A stream of draws; two with the same label draw the same. */
export class Random {
  #drawn = 0

  constructor(readonly label: string) {}

  /** A stream of its own, independent of how much is drawn here. */
  fork(name: string | number): Random {
    return new Random(`${this.label}/${name}`)
  }

  /** From [0, 1). */
  unit(): number {
    const hash = createHash('sha256')
      .update(`${this.label} ${this.#drawn++}`)
      .digest()
    return hash.readUIntBE(0, 6) / 2 ** 48
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1))
  }

  /** Short ones as often as long ones: each factor of ten equally likely. Whole, both ends included. */
  logarithmic(from: number, to: number): number {
    return Math.round(from * (to / from) ** this.unit())
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.int(0, list.length - 1)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }

  /** A name by its weight; weights are relative. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let left = this.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    throw new Error('no weight to pick by')
  }
}
