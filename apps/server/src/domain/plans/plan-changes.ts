/** What a plan changes, read from `show -json` element by element: the rest of the document is never parsed. */
import { ApiError, parse } from '@iac-agent/protocol'
import { Type } from 'typebox'
import type { NewResourceChange } from '../../store/plan-rows.js'
import { scanElements, scanMembers, skipSpace } from '../json-scan.js'

const PlannedChange = Type.Object({
  address: Type.String(),
  previous_address: Type.Optional(Type.String()),
  module_address: Type.Optional(Type.String()),
  mode: Type.String(),
  type: Type.String(),
  name: Type.String(),
  index: Type.Optional(Type.Unknown()),
  provider_name: Type.Optional(Type.String()),
  action_reason: Type.Optional(Type.String()),
  change: Type.Object({ actions: Type.Array(Type.String()) }),
})

/** The changes in the plan's order, without resources that stay as they are. Throws `invalid_request`. */
export function changesOfPlan(json: Buffer): NewResourceChange[] {
  const plan = scanMembers(json)
  if (!plan?.isWhole || skipSpace(json, plan.end) < json.length) throw invalid('is not one whole JSON object')
  if (!plan.byKey.has('format_version')) throw invalid('is not the output of `show -json`: format_version is missing')
  const list = plan.byKey.get('resource_changes')
  const elements = list ? scanElements(json, list.start) : []
  if (!elements) throw invalid('has resource_changes that are no array')
  return elements.flatMap(({ start, end }) => {
    const change = changeOf(json.toString('utf8', start, end))
    return change ? [change] : []
  })
}

function changeOf(text: string): NewResourceChange | undefined {
  const { change, ...planned } = parse(PlannedChange, parseElement(text), 'resource_changes')
  const isUntouched = change.actions.every((action) => action === 'no-op') && planned.previous_address === undefined
  if (isUntouched) return undefined
  return {
    address: planned.address,
    previous_address: planned.previous_address ?? null,
    module_address: planned.module_address ?? null,
    mode: planned.mode,
    resource_type: planned.type,
    resource_name: planned.name,
    resource_index: planned.index === undefined ? null : JSON.stringify(planned.index),
    provider_name: planned.provider_name ?? null,
    actions: JSON.stringify(change.actions),
    action_reason: planned.action_reason ?? null,
  }
}

function parseElement(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (err) {
    if (!(err instanceof SyntaxError)) throw err
    throw invalid('has a malformed resource change') // V8 quotes the text around the fault, which may be a secret
  }
}

function invalid(problem: string): ApiError {
  return new ApiError('invalid_request', `the plan ${problem}`, { field: 'body' })
}
