/** Path parameters and queries arrive as strings; this makes the schema's types of them. */
import type { TSchema } from 'typebox'

interface ObjectSchema {
  properties?: Record<string, { type?: string }>
}

/** Converts what converts cleanly; anything else stays a string and fails the schema's check by name. */
export function fromStrings(schema: TSchema, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const properties = (schema as ObjectSchema).properties ?? {}
  const converted: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) converted[name] = convert(properties[name]?.type, value)
  return converted
}

function convert(type: string | undefined, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value)
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
