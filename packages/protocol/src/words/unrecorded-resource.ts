/** What an apply created, or may have created, that no state of it holds. */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.js'
import { Nullable } from './common.js'

const Count = Type.Integer({ minimum: 0 })

export const UnrecordedResource = Type.Object({
  address: Type.String({ minLength: 1, maxLength: limits.unrecordedTextLength }),
  /** as terraform printed it; null when it is not known, or holds a secret */
  id: Nullable(Type.String({ minLength: 1, maxLength: limits.unrecordedTextLength })),
  certainty: Type.Enum(['created', 'may_exist'], {
    description: 'created: terraform said so; may_exist: its creation had begun, and no end of it is known',
  }),
  /** what a person must know before importing it; null when nothing stands in the way */
  note: Nullable(Type.String({ maxLength: limits.unrecordedTextLength })),
})
export type UnrecordedResource = Static<typeof UnrecordedResource>

/** The numbers count all, the list is bounded. */
export const UnrecordedReport = Type.Object({
  created: Count,
  may_exist: Count,
  items: Type.Array(UnrecordedResource, { maxItems: limits.unrecordedResources }),
})
export type UnrecordedReport = Static<typeof UnrecordedReport>

/** How many there are. */
export const UnrecordedCounts = Type.Object({ created: Count, may_exist: Count })
export type UnrecordedCounts = Static<typeof UnrecordedCounts>
