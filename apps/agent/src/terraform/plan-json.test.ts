import { describe, expect, it } from 'vitest'
import { maskPlan } from './plan-json.js'

describe('a masked plan', () => {
  it('hides values by their marks, wherever they are nested, and no others', () => {
    const masked = maskPlan({
      resource_changes: [
        {
          address: 'a.b',
          change: {
            actions: ['update'],
            before: { password: 'old', tags: { a: 'x', b: 'hush' }, list: ['p', 'q'], none: null },
            before_sensitive: { password: true, tags: { b: true }, list: [false, true], none: true },
            after: 'all of it',
            after_sensitive: true,
          },
        },
      ],
    })
    expect(masked).toEqual({
      resource_changes: [
        {
          address: 'a.b',
          change: {
            actions: ['update'],
            before: {
              password: '(sensitive)',
              tags: { a: 'x', b: '(sensitive)' },
              list: ['p', '(sensitive)'],
              none: null,
            },
            before_sensitive: { password: true, tags: { b: true }, list: [false, true], none: true },
            after: '(sensitive)',
            after_sensitive: true,
          },
        },
      ],
    })
  })

  it('hides planned and prior values, outputs and variables that are declared sensitive', () => {
    const resource = { address: 'a.b', values: { x: 'hush', y: 1 }, sensitive_values: { x: true } }
    const masked = maskPlan({
      planned_values: {
        outputs: { o: { sensitive: true, value: 'hush' }, p: { sensitive: false, value: 'seen' } },
        root_module: { resources: [resource], child_modules: [{ resources: [resource] }] },
      },
      prior_state: { values: { root_module: { resources: [resource] } } },
      output_changes: {
        o: { actions: ['create'], before: null, after: 'hush', before_sensitive: true, after_sensitive: true },
      },
      variables: { secret: { value: 'hush' }, open: { value: 'seen' } },
      configuration: { root_module: { variables: { secret: { sensitive: true }, open: {} } } },
    })
    const text = JSON.stringify(masked)
    expect(text).not.toContain('hush')
    expect(text.match(/\(sensitive\)/g)).toHaveLength(6)
    expect(text.match(/seen/g)).toHaveLength(2)
  })
})
