/** The frame every C&C message rides in. */
import { type TSchema, Type } from 'typebox'

/** The schema of `{type, payload}`. */
export const message = <const T extends string, S extends TSchema>(type: T, payload: S) =>
  Type.Object({ type: Type.Literal(type), payload })
