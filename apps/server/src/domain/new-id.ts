/** Ids of what operators make: a prefix, the time, randomness; they sort by age. */
import { randomBytes } from 'node:crypto'

export type IdPrefix = 'pool' | 'key' | 'tok' | 'ws' | 'var' | 'res' | 'cfg'

/** Such as `ws-0mfq3x7k2c9bq4hs8vtn1dz`: 9 digits of base 36 for the millisecond, 14 of chance (72 bits). */
export function newId(prefix: IdPrefix, now: number): string {
  const chance = BigInt(`0x${randomBytes(9).toString('hex')}`)
  return `${prefix}-${now.toString(36).padStart(9, '0')}${chance.toString(36).padStart(14, '0')}`
}
