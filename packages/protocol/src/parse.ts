/** The one way untrusted data becomes a typed value: at the edge (wire, disk, environment, child output), trusted inside. */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** Data from outside that is not of the expected shape; `field` is a JSON pointer such as `/labels/zone`, empty for the whole. */
export class InvalidInput extends Error {
  readonly code = 'invalid_input'
  constructor(
    readonly what: string,
    readonly field: string,
    readonly problem: string,
  ) {
    super(`${what}: ${field === '' ? '' : `${field} `}${problem}`)
    this.name = 'InvalidInput'
  }
}

interface Fault {
  readonly instancePath: string
  readonly keyword: string
  readonly message: string
  readonly params: object
}

interface Checker {
  check(value: unknown): boolean
  faults(value: unknown): Fault[]
}

const checkers = new WeakMap<TSchema, Checker>()

/**
 * Answers `value` as the schema's type, unchanged.
 * @param what names the source for the error, e.g. `heartbeat` or `journal line`
 * @throws InvalidInput naming the first field that does not fit
 */
export function parse<S extends TSchema>(schema: S, value: unknown, what: string): Static<S> {
  const checker = checkerOf(schema)
  if (checker.check(value)) return value as Static<S>
  throw firstFault(checker.faults(value), what)
}

/** Whether `value` fits, for a choice between shapes. */
export function fits<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  return checkerOf(schema).check(value)
}

function checkerOf(schema: TSchema): Checker {
  const known = checkers.get(schema)
  if (known !== undefined) return known
  const compiled = Compile(schema)
  const checker: Checker = {
    check: (value) => compiled.Check(value),
    faults: (value) => [...compiled.Errors(value)] as Fault[],
  }
  checkers.set(schema, checker)
  return checker
}

function firstFault(faults: Fault[], what: string): InvalidInput {
  const fault = faults.find((one) => one.keyword !== 'boolean' && one.keyword !== 'const') ?? faults[0]
  if (fault === undefined) return new InvalidInput(what, '', 'is not of the expected shape')
  return new InvalidInput(what, fieldOf(fault), problemOf(fault, faults))
}

function fieldOf(fault: Fault): string {
  const params = fault.params as { requiredProperties?: string[]; additionalProperties?: string[] }
  const name = params.requiredProperties?.[0] ?? params.additionalProperties?.[0]
  return name === undefined ? fault.instancePath : `${fault.instancePath}/${name}`
}

function problemOf(fault: Fault, faults: Fault[]): string {
  if (fault.keyword === 'required') return 'is required'
  if (fault.keyword === 'additionalProperties') return 'is not a known field'
  if (fault.keyword === 'enum') {
    const { allowedValues } = fault.params as { allowedValues?: unknown[] }
    return allowedValues === undefined ? fault.message : `must be one of ${allowedValues.join(', ')}`
  }
  if (fault.keyword === 'anyOf') {
    const siblings = faults.filter((one) => one !== fault && one.instancePath === fault.instancePath)
    return siblings.length === 0 ? fault.message : siblings.map((one) => one.message).join(' or ')
  }
  return fault.message
}
