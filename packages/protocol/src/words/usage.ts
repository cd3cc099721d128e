/** What a phase used of its agent's host. */
import { type Static, Type } from 'typebox'
import { Nullable } from './common.js'

/** Of all terraform commands of an attempt, the programs they started included; null where nobody could measure it. */
export const Usage = Type.Object({
  peak_rss_bytes: Nullable(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'most resident memory that was seen at once; sampled, so at least this much',
    }),
  ),
  cpu_ms: Nullable(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'CPU time, user and system, as the kernel counted it',
    }),
  ),
})
export type Usage = Static<typeof Usage>
