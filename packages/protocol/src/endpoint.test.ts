import { describe, expect, expectTypeOf, it } from 'vitest'
import type { AnswerOf, BodyOf, ParamsOf, QueryOf } from './endpoint.js'
import { allEndpoints as all, type Task, type taskEndpoints, type Variable, type variableEndpoints } from './index.js'

describe('endpoint contracts', () => {
  it('name each operation and each method and path once', () => {
    expect(new Set(all.map((one) => one.name)).size).toBe(all.length)
    expect(new Set(all.map((one) => `${one.method} ${one.path.replace(/:\w+/g, ':')}`)).size).toBe(all.length)
  })

  it('declare a schema for every path parameter, and none that the path lacks', () => {
    for (const one of all) {
      const inPath = [...one.path.matchAll(/:(\w+)/g)].map((match) => match[1]).sort()
      const declared = Object.keys((one.params as { properties?: object } | undefined)?.properties ?? {}).sort()
      expect(declared, one.name).toEqual(inPath)
    }
  })

  it('bound every body', () => {
    for (const one of all) if (one.body !== undefined) expect(one.body.limitBytes, one.name).toBeGreaterThan(0)
  })

  it("keep the seed's six endpoints to the letter", () => {
    const paths = all.map((one) => `${one.method} ${one.path}`)
    expect(paths).toEqual(
      expect.arrayContaining([
        'GET /api/v1/agents/control',
        'GET /api/v1/agents/:agent_id/cc-status',
        'GET /api/v1/agents/tasks/:task_id/data',
        'POST /api/v1/agents/tasks/:task_id/logs/chunk',
        'PUT /api/v1/agents/tasks/:task_id/status',
        'POST /api/v1/agents/tasks/:task_id/state',
      ]),
    )
  })

  it('carry their types to routes and clients', () => {
    expectTypeOf<AnswerOf<typeof taskEndpoints.get>>().toEqualTypeOf<Task>()
    expectTypeOf<ParamsOf<typeof taskEndpoints.get>>().toEqualTypeOf<{ id: number }>()
    expectTypeOf<ParamsOf<typeof variableEndpoints.update>>().toEqualTypeOf<{ id: string; variable_id: string }>()
    expectTypeOf<BodyOf<typeof variableEndpoints.update>['value']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<QueryOf<typeof taskEndpoints.logs>['phase']>().toEqualTypeOf<'plan' | 'apply' | undefined>()
    expectTypeOf<Variable['value']>().toEqualTypeOf<string | null>()
  })
})
