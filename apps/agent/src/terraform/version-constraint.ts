/** Terraform's version constraints (`~> 1.9`, `>= 1.5, < 2.0`, `!= 1.6.1`), read by its rules, not npm's. */
import { compare, major, minor, parse, prerelease, rcompare, valid } from 'semver'

interface Condition {
  readonly operator: string
  readonly version: string
  /** How many numbers were written: `~> 1.9` and `~> 1.9.0` differ. */
  readonly parts: number
}

const condition = /^\s*(=|!=|>=|<=|>|<|~>)?\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?\s*$/

/**
 * Whether `version` fulfils all of the comma-separated conditions; an empty constraint is fulfilled by any release. A prerelease
 * only fulfils a condition that names it exactly.
 * @returns undefined when the constraint cannot be read
 */
export function satisfiesConstraint(version: string, constraint: string): boolean | undefined {
  const conditions = conditionsOf(constraint)
  if (conditions === undefined || valid(version) === null) return undefined
  if (prerelease(version) !== null) return conditions.some((one) => isExact(one) && compare(version, one.version) === 0)
  return conditions.every((one) => fulfils(version, one))
}

/** The one version a constraint allows; undefined when it allows several, or cannot be read. */
export function exactVersion(constraint: string): string | undefined {
  const [only, ...others] = conditionsOf(constraint) ?? []
  return only !== undefined && others.length === 0 && isExact(only) && only.parts === 3 ? only.version : undefined
}

/** Versions that can be read, the newest first. */
export function newestFirst(versions: readonly string[]): string[] {
  return versions.filter((version) => valid(version) !== null).sort(rcompare)
}

function conditionsOf(constraint: string): Condition[] | undefined {
  if (constraint.trim() === '' || constraint.trim() === 'latest') return []
  const conditions = constraint.split(',').map(conditionOf)
  return conditions.some((one) => one === undefined) ? undefined : conditions.filter((one) => one !== undefined)
}

function conditionOf(text: string): Condition | undefined {
  const match = condition.exec(text)
  if (match === null) return undefined
  const [, operator = '=', ...numbers] = match
  const [x = '0', y, z, suffix = ''] = numbers
  const parsed = parse(`${x}.${y ?? '0'}.${z ?? '0'}${suffix}`)
  if (parsed === null) return undefined
  return { operator, version: parsed.version, parts: z !== undefined ? 3 : y !== undefined ? 2 : 1 }
}

function isExact({ operator }: Condition): boolean {
  return operator === '='
}

function fulfils(version: string, { operator, version: bound, parts }: Condition): boolean {
  const order = compare(version, bound)
  switch (operator) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '~>':
      // Only the last number written may grow.
      return (
        order >= 0 && (parts < 2 || major(version) === major(bound)) && (parts < 3 || minor(version) === minor(bound))
      )
    default:
      throw new Error(`unreachable: operator ${operator}`)
  }
}
