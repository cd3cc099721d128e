import { expect, it } from 'vitest'
import { changesOfPlan } from './plan-changes.js'

const change = (address: string, actions: string[], more: object = {}) => ({
  address,
  mode: 'managed',
  type: 'terraform_data',
  name: address.split('.')[1],
  provider_name: 'terraform.io/builtin/terraform',
  change: { actions, before: null, after: { input: 'x' } },
  ...more,
})
const planOf = (...changes: object[]) =>
  Buffer.from(JSON.stringify({ format_version: '1.2', resource_changes: changes }))

it('keeps changes in the plan order and leaves out what stays as it is', () => {
  const plan = planOf(
    change('terraform_data.b', ['create'], { index: 'k' }),
    change('terraform_data.same', ['no-op']),
    change('terraform_data.a', ['delete', 'create'], { action_reason: 'replace_by_request' }),
  )
  expect(changesOfPlan(plan)).toMatchObject([
    { address: 'terraform_data.b', actions: '["create"]', resource_index: '"k"' },
    { address: 'terraform_data.a', actions: '["delete","create"]', action_reason: 'replace_by_request' },
  ])
})

it('keeps a resource that only moved', () => {
  const moved = change('terraform_data.new', ['no-op'], { previous_address: 'terraform_data.old' })
  expect(changesOfPlan(planOf(moved))).toMatchObject([{ previous_address: 'terraform_data.old' }])
})

it('takes a plan without changes', () => {
  expect(changesOfPlan(Buffer.from('{"format_version":"1.2"}'))).toEqual([])
})

it('refuses what is no plan as JSON, in words', () => {
  expect(() => changesOfPlan(Buffer.from('{"format_version":"1.2"'))).toThrow('not one whole JSON object')
  expect(() => changesOfPlan(Buffer.from('{}'))).toThrow('format_version is missing')
  expect(() => changesOfPlan(Buffer.from('{"format_version":"1.2","resource_changes":{}}'))).toThrow('no array')
  expect(() => changesOfPlan(planOf({ address: 'a' }))).toThrow('resource_changes')
})
