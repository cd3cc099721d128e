/** `show -json` of a plan, made fit to leave the host: what terraform marks as sensitive is masked, numbers stay what they are. */
import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '@iac-agent/runtime'
import { parseExact, stringifyExact } from './exact-json.js'
import { TerraformError } from './terraform-error.js'

/** What stands for a sensitive value. */
const sensitiveText = '(sensitive)'

export interface PlanSummary {
  /** As terraform counts: a replacement is one to add and one to destroy. */
  readonly add: number
  readonly change: number
  readonly destroy: number
  /** Something would be done or noted by an apply, be it only to outputs, imports, moves or (refresh-only) drift. */
  readonly hasChanges: boolean
}

type Node = Record<string, unknown>

/**
 * Reads the document at `from`, writes the masked one to `to` (0600, whole or not at all).
 * @param request.secrets values masked wherever they stand in a string, besides
 * @throws TerraformError `agent_fault` when it is not what `show -json` writes
 */
export async function redactPlanJson(request: {
  from: string
  to: string
  secrets?: readonly string[]
}): Promise<PlanSummary> {
  const plan = nodeOf(parseExact(await readFile(request.from, 'utf8')))
  if (plan === undefined || typeof plan.format_version !== 'string') {
    throw new TerraformError('agent_fault', 'terraform show -json gave no plan')
  }
  const masked = maskPlan(plan)
  await writeFileAtomic(request.to, stringifyExact(withoutSecrets(masked, request.secrets ?? [])))
  return summaryOf(plan)
}

/** A copy with every value masked that the document itself marks as sensitive. Pure. */
export function maskPlan(plan: Node): Node {
  const result: Node = { ...plan }
  for (const key of ['planned_values', 'prior_state']) if (key in plan) result[key] = maskValues(plan[key])
  for (const key of ['resource_changes', 'resource_drift', 'deferred_changes', 'output_changes']) {
    if (key in plan) result[key] = maskChanges(plan[key])
  }
  if ('variables' in plan) result.variables = maskVariables(plan)
  return result
}

/** Modules and resources carry `values` beside `sensitive_values`, outputs `value` beside `sensitive`. */
function maskValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskValues)
  const node = nodeOf(value)
  if (node === undefined) return value
  if ('values' in node && 'sensitive_values' in node)
    return { ...node, values: mask(node.values, node.sensitive_values) }
  if (node.sensitive === true && 'value' in node) return { ...node, value: sensitiveText }
  return mapNode(node, maskValues)
}

function maskChanges(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskChanges)
  const node = nodeOf(value)
  if (node === undefined) return value
  if (!('before' in node) && !('after' in node)) return mapNode(node, maskChanges)
  return {
    ...node,
    ...('before' in node ? { before: mask(node.before, node.before_sensitive) } : {}),
    ...('after' in node ? { after: mask(node.after, node.after_sensitive) } : {}),
  }
}

/** Values of variables carry no mark of their own; their declaration has it. */
function maskVariables(plan: Node): unknown {
  const declared = nodeOf(nodeOf(nodeOf(plan.configuration)?.root_module)?.variables) ?? {}
  return mapNode(nodeOf(plan.variables) ?? {}, (variable, name) =>
    nodeOf(declared[name])?.sensitive === true ? { value: sensitiveText } : variable,
  )
}

/** `marks` mirrors `value`: true where it, or all below it, is sensitive. */
function mask(value: unknown, marks: unknown): unknown {
  if (marks === true) return value === null ? null : sensitiveText
  if (Array.isArray(value) && Array.isArray(marks)) return value.map((item, index) => mask(item, marks[index]))
  const node = nodeOf(value)
  const markNode = nodeOf(marks)
  return node === undefined || markNode === undefined ? value : mapNode(node, (item, key) => mask(item, markNode[key]))
}

function withoutSecrets(value: unknown, secrets: readonly string[]): unknown {
  const usable = secrets.filter((secret) => secret.length >= 3)
  if (usable.length === 0) return value
  const clean = (item: unknown): unknown => {
    if (typeof item === 'string') return usable.reduce((text, secret) => text.replaceAll(secret, sensitiveText), item)
    if (Array.isArray(item)) return item.map(clean)
    const node = nodeOf(item)
    return node === undefined ? item : mapNode(node, clean)
  }
  return clean(value)
}

function summaryOf(plan: Node): PlanSummary {
  const changes = arrayOf(plan.resource_changes).map((change) => nodeOf(nodeOf(change)?.change) ?? {})
  const managed = changes.map((change) => arrayOf(change.actions))
  const count = (action: string) => managed.filter((actions) => actions.includes(action)).length
  const outputs = Object.values(nodeOf(plan.output_changes) ?? {}).map((change) => arrayOf(nodeOf(change)?.actions))
  const isDone = (actions: unknown[]) => actions.some((action) => action !== 'no-op' && action !== 'read')
  const isNoted =
    changes.some((change) => change.importing !== undefined) || arrayOf(plan.resource_changes).some(isMoved)
  return {
    add: count('create'),
    change: count('update'),
    destroy: count('delete'),
    hasChanges: plan.applyable === true || managed.some(isDone) || outputs.some(isDone) || isNoted,
  }
}

function isMoved(change: unknown): boolean {
  return nodeOf(change)?.previous_address !== undefined
}

function mapNode(node: Node, map: (value: unknown, key: string) => unknown): Node {
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, map(value, key)]))
}

function arrayOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function nodeOf(value: unknown): Node | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : undefined
}
