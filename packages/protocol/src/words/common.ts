/** Small schemas that many contracts share. */
import { Type } from 'typebox'
import { limits } from '../limits.js'

export const Timestamp = Type.String({ description: 'RFC 3339, UTC, stamped by the server' })
export const TaskId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
export const AttemptNumber = Type.Integer({ minimum: 1 })
export const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'bytes' })
export const Name = Type.String({ minLength: 1, maxLength: limits.nameLength, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' })
export const Labels = Type.Record(Type.String(), Type.String({ maxLength: limits.nameLength }))
export const Sha256 = Type.String({ pattern: '^(sha256:)?[0-9a-fA-F]{64}$|^$' })
/** A resource address such as `module.net[0].terraform_data.a["k"]`. */
export const Address = Type.String({ minLength: 1, maxLength: 1024, pattern: '^[^-\\s][^\\r\\n]*$' })
export const Nullable = <S extends import('typebox').TSchema>(schema: S) => Type.Union([schema, Type.Null()])
export const Empty = Type.Object({})

/** A page of a list: `next_cursor` is null on the last one. */
export const page = <S extends import('typebox').TSchema>(item: S) =>
  Type.Object({ items: Type.Array(item), next_cursor: Nullable(Type.String()) })
export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.pageItems })),
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
})
