/** What an agent's host is short of, so that it takes no work. */
import { type Static, Type } from 'typebox'

export const Shortage = Type.Object({
  resource: Type.Enum(['disk', 'memory']),
  free_bytes: Type.Integer({ minimum: 0 }),
  floor_bytes: Type.Integer({ minimum: 0, description: 'with less the agent takes no work' }),
})
export type Shortage = Static<typeof Shortage>

/** For people: `12 MiB of disk free, 256 MiB are the least`. */
export function describeShortage({ resource, free_bytes, floor_bytes }: Shortage): string {
  return `${mebibytes(free_bytes)} MiB of ${resource} free, ${mebibytes(floor_bytes)} MiB are the least`
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024)
}
