import {
  agentEndpoints,
  allEndpoints,
  type Endpoint,
  fits,
  openEndpoints,
  poolEndpoints,
  resourceEndpoints,
  stateEndpoints,
  type Task,
  taskEndpoints,
  tokenEndpoints,
  variableEndpoints,
  type Workspace,
  workspaceEndpoints,
} from '@iac-agent/protocol'
import { startFakeAgent } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { TestServer } from '../_util/test-server.js'

describe('the contract', () => {
  it('is registered whole: each endpoint has its route', async () => {
    await using server = await TestServer.start()
    expect(server.app.endpoints.map(({ name }) => name).sort()).toEqual(allEndpoints.map(({ name }) => name).sort())
  })

  it('is served as OpenAPI, with a page to browse it', async () => {
    await using server = await TestServer.start()
    const document = await server.ok<{
      openapi: string
      paths: Record<string, Record<string, { operationId: string }>>
    }>('GET', '/openapi.json', { token: null })
    expect(document.openapi).toBe('3.1.0')
    for (const { path, method, name } of allEndpoints)
      expect(
        document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]?.operationId,
        `${method} ${path}`,
      ).toBe(name)
    const page = await server.call('GET', '/docs/', { token: null })
    expect(page.status).toBe(200)
    expect(page.bytes.toString()).toContain('swagger-ui')
    const script = /src="(\.?[^"]*swagger-ui-bundle\.js)"/.exec(page.bytes.toString())?.[1] ?? 'no script'
    expect((await server.call('GET', new URL(script, `${server.url}/docs/`).pathname, { token: null })).status).toBe(
      200,
    )
  })

  it('is what the answers of the operator API are', async () => {
    await using server = await TestServer.start()
    const call = async <T>(
      endpoint: Endpoint,
      params: Record<string, string | number> = {},
      body?: object,
    ): Promise<T> => {
      const path = endpoint.path.replaceAll(/:(\w+)/g, (_, name: string) => String(params[name]))
      const answer = await server.call(endpoint.method, path, body === undefined ? {} : { body })
      expect(answer.status, `${endpoint.name}: ${answer.bytes}`).toBe(endpoint.answer.status)
      if (endpoint.answer.json !== undefined)
        expect(fits(endpoint.answer.json, answer.json), `${endpoint.name}: ${answer.bytes}`).toBe(true)
      return answer.json as T
    }
    const { id: pool } = await call<{ id: string }>(poolEndpoints.create, {}, { name: 'p' })
    const key = await call<{ id: string; app_key: string; app_secret: string }>(
      poolEndpoints.createKey,
      { id: pool },
      { expires_in_days: 5 },
    )
    const { id: token } = await call<{ id: string }>(tokenEndpoints.create, {}, { name: 'ci', role: 'read_only' })
    const { id } = await call<Workspace>(workspaceEndpoints.create, {}, { name: 'w', pool_id: pool })
    const variable = await call<{ id: string }>(
      variableEndpoints.create,
      { id },
      { key: 'a', value: 'b', category: 'terraform' },
    )
    const resource = await call<{ id: string }>(
      resourceEndpoints.create,
      { id },
      { resource_type: 'a', resource_name: 'b', tf_code: {} },
    )
    await using agent = await startFakeAgent({ url: server.url, key })
    const task = await call<Task>(taskEndpoints.create, { id }, { task_type: 'plan_and_apply', description: 'why' })
    await agent.next('run_task')
    const state = {
      version: 4,
      serial: 1,
      lineage: 'x',
      terraform_version: '1.9.0',
      outputs: { a: { value: 1, type: 'number' } },
      resources: [],
    }
    const { id: version } = await call<{ id: string }>(stateEndpoints.import, { id }, state)
    for (const [endpoint, params] of [
      [openEndpoints.livez, {}],
      [openEndpoints.readyz, {}],
      [openEndpoints.version, {}],
      [poolEndpoints.list, {}],
      [poolEndpoints.get, { id: pool }],
      [poolEndpoints.listKeys, { id: pool }],
      [tokenEndpoints.list, {}],
      [agentEndpoints.list, {}],
      [agentEndpoints.get, { agent_id: agent.agentId }],
      [workspaceEndpoints.list, {}],
      [workspaceEndpoints.get, { id: 'name:w' }],
      [variableEndpoints.list, { id }],
      [resourceEndpoints.list, { id }],
      [taskEndpoints.list, {}],
      [taskEndpoints.get, { id: task.id }],
      [taskEndpoints.logs, { id: task.id }],
      [taskEndpoints.resourceChanges, { id: task.id }],
      [taskEndpoints.unrecordedResources, { id: task.id }],
      [stateEndpoints.list, { id }],
      [stateEndpoints.get, { id: version }],
      [stateEndpoints.content, { id: version }],
      [stateEndpoints.current, { id }],
      [stateEndpoints.outputs, { id }],
    ] as [Endpoint, Record<string, string>][])
      await call(endpoint, params)
    await call(workspaceEndpoints.lock, { id }, { reason: 'r' })
    await call(workspaceEndpoints.unlock, { id }, {})
    await call(workspaceEndpoints.update, { id }, { auto_apply: true })
    await call(variableEndpoints.update, { id, variable_id: variable.id }, { hcl: true })
    await call(resourceEndpoints.update, { id, resource_id: resource.id }, { tf_code: 'x' })
    await call(taskEndpoints.cancel, { id: task.id }, {})
    await call(variableEndpoints.remove, { id, variable_id: variable.id })
    await call(resourceEndpoints.remove, { id, resource_id: resource.id })
    await call(poolEndpoints.revokeKey, { id: pool, key_id: key.id })
    await call(tokenEndpoints.remove, { id: token })
  })
})

describe('tasks of the operator API', () => {
  it('are made once for one Idempotency-Key', async () => {
    await using server = await TestServer.start()
    const { id } = await server.createWorkspace((await server.createPool()).id)
    const path = `/api/v1/workspaces/${id}/tasks`
    const request = { headers: { 'idempotency-key': 'abc' }, body: { task_type: 'plan' } }
    const first = await server.ok<Task>('POST', path, request)
    expect((await server.ok<Task>('POST', path, request)).id).toBe(first.id)
    const other = { ...request, body: { task_type: 'destroy' } }
    expect(await server.refused('POST', path, other)).toMatchObject({ status: 409, code: 'conflict' })
    const long = { ...request, headers: { 'idempotency-key': 'x'.repeat(256) } }
    expect(await server.refused('POST', path, long)).toMatchObject({ status: 400 })
    expect((await server.ok<{ items: Task[] }>('GET', '/api/v1/tasks?workspace_id=name:demo')).items).toHaveLength(1)
    expect(await server.refused('GET', '/api/v1/tasks?workspace_id=name:none')).toMatchObject({ status: 404 })
  })

  it('are the same by id and by name of the workspace, and made anew when the first was deleted with it', async () => {
    await using server = await TestServer.start()
    const { id: poolId } = await server.createPool()
    const { id } = await server.createWorkspace(poolId)
    const make = (workspace: string) =>
      server.ok<Task>('POST', `/api/v1/workspaces/${workspace}/tasks`, {
        headers: { 'idempotency-key': 'abc' },
        body: { task_type: 'plan' },
      })
    const first = await make(id)
    expect((await make('name:demo')).id).toBe(first.id)
    await server.ok('POST', `/api/v1/tasks/${first.id}/cancel`)
    await server.ok('DELETE', '/api/v1/workspaces/name:demo')
    const again = await server.createWorkspace(poolId)
    expect(await make('name:demo')).toMatchObject({ workspace_id: again.id, status: 'pending' })
  })

  it('are listed by workspace and status, newest first, page by page', async () => {
    await using server = await TestServer.start()
    const { id: poolId } = await server.createPool()
    const { id } = await server.createWorkspace(poolId)
    const other = await server.createWorkspace(poolId, {}, 'other')
    const make = (workspace: string) =>
      server.ok<Task>('POST', `/api/v1/workspaces/${workspace}/tasks`, { body: { task_type: 'plan' } })
    const [a, b, c] = [await make(id), await make(id), await make(other.id)]
    await server.ok('POST', `/api/v1/tasks/${a.id}/cancel`)
    const list = async (query: string) => {
      const page = await server.ok<{ items: Task[]; next_cursor: string | null }>('GET', `/api/v1/tasks?${query}`)
      return [page.items.map((task) => task.id), page.next_cursor]
    }
    expect(await list('')).toEqual([[c.id, b.id, a.id], null])
    expect(await list(`workspace_id=${id}&status=pending`)).toEqual([[b.id], null])
    expect(await list('status=cancelled')).toEqual([[a.id], null])
    const [page, cursor] = await list('limit=2')
    expect(page).toEqual([c.id, b.id])
    expect(await list(`limit=2&cursor=${cursor}`)).toEqual([[a.id], null])
    for (const wrong of ['status=lost', 'cursor=x', 'limit=0', 'status=pending&status=failed'])
      expect(await server.refused('GET', `/api/v1/tasks?${wrong}`), wrong).toMatchObject({ status: 400 })
  })

  it('say why they wait', async () => {
    await using server = await TestServer.start()
    const { id } = await server.createWorkspace((await server.createPool()).id)
    const task = await server.ok<Task>('POST', `/api/v1/workspaces/${id}/tasks`, { body: { task_type: 'plan' } })
    expect((await server.ok<Task>('GET', `/api/v1/tasks/${task.id}`)).pending_reason).toMatchObject({
      code: 'no_agent_online',
    })
    await server.ok('POST', `/api/v1/workspaces/${id}/lock`, { body: { reason: 'audit' } })
    expect((await server.ok<Task>('GET', `/api/v1/tasks/${task.id}`)).pending_reason).toMatchObject({
      code: 'workspace_locked',
    })
  })
})
