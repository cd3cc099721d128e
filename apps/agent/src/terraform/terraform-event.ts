/** One line of `terraform apply -json` as a typed event. */
import { fits } from '@iac-agent/protocol'
import { type Static, Type } from 'typebox'

const Position = Type.Object({ line: Type.Integer(), column: Type.Integer() })

export const EventDiagnostic = Type.Object({
  severity: Type.String(),
  summary: Type.String(),
  detail: Type.Optional(Type.String()),
  address: Type.Optional(Type.String()),
  range: Type.Optional(Type.Object({ filename: Type.String(), start: Position })),
  snippet: Type.Optional(
    Type.Object({
      context: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      code: Type.String(),
      start_line: Type.Integer(),
      values: Type.Optional(
        Type.Union([Type.Null(), Type.Array(Type.Object({ traversal: Type.String(), statement: Type.String() }))]),
      ),
    }),
  ),
})
export type EventDiagnostic = Static<typeof EventDiagnostic>

const Hook = Type.Object({
  resource: Type.Object({
    addr: Type.String(),
    module: Type.Optional(Type.String()),
    resource_type: Type.Optional(Type.String()),
    resource_name: Type.Optional(Type.String()),
    resource_key: Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Null()])),
  }),
  action: Type.Optional(Type.String()),
  /** which attribute `id_value` is: that of the name "id", or what stands for a resource without one */
  id_key: Type.Optional(Type.String()),
  id_value: Type.Optional(Type.String()),
  elapsed_seconds: Type.Optional(Type.Number()),
  provisioner: Type.Optional(Type.String()),
  output: Type.Optional(Type.String()),
})

/** What we read of an event; terraform's own types are many, and new ones come. */
export const TerraformEvent = Type.Object({
  '@level': Type.String(),
  '@message': Type.String(),
  '@timestamp': Type.String(),
  type: Type.Optional(Type.String()),
  hook: Type.Optional(Hook),
  diagnostic: Type.Optional(EventDiagnostic),
  outputs: Type.Optional(Type.Record(Type.String(), Type.Object({ sensitive: Type.Boolean() }))),
  changes: Type.Optional(
    Type.Object({ add: Type.Integer(), change: Type.Integer(), remove: Type.Integer(), operation: Type.String() }),
  ),
})
export type TerraformEvent = Static<typeof TerraformEvent>

/** The event of a line; undefined when the line is something else: a crash, a shell's complaint, a piece of a long line. */
export function parseEvent(line: string): TerraformEvent | undefined {
  if (!line.startsWith('{"@level"')) return undefined
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // torn: shown as it is
    throw error
  }
  return fits(TerraformEvent, value) ? value : undefined
}
