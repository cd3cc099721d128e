import type { Resource, Variable, Workspace } from '@iac-agent/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSnapshot } from '../../src/domain/workspaces/create-snapshot.js'
import { TestServer } from '../_util/test-server.js'

let server: TestServer
let poolId: string
beforeAll(async () => {
  server = await TestServer.start()
  poolId = (await server.createPool()).id
})
afterAll(() => server[Symbol.asyncDispose]())

describe('workspaces', () => {
  it('have a lineage from the beginning and keep what was set', async () => {
    const settings = {
      terraform_version: '~> 1.9',
      engine: 'tofu',
      auto_apply: true,
      tf_code: { terraform: {} },
      provider_config: 'provider "null" {}',
      system_variables: { REGION: 'eu' },
      working_directory: './envs/prod/',
      labels: { zone: 'eu' },
      allow_unsaved_plan: true,
      accept_empty_state: true,
    }
    const made = await server.createWorkspace(poolId, settings, 'prod')
    expect(made).toMatchObject({
      ...settings,
      working_directory: 'envs/prod',
      state_version: null,
      configuration_id: null,
      lock: null,
    })
    expect(made.lineage).toMatch(/^[0-9a-f-]{36}$/)
    expect(await server.ok('GET', `/api/v1/workspaces/${made.id}`)).toEqual(made)
    expect(await server.ok('GET', '/api/v1/workspaces/name:prod')).toEqual(made)
    const patched = await server.ok<Workspace>('PATCH', '/api/v1/workspaces/name:prod', {
      body: { auto_apply: false, tf_code: null },
    })
    expect(patched).toMatchObject({ auto_apply: false, tf_code: null, engine: 'tofu', lineage: made.lineage })
  })

  it('have unique names and an existing pool', async () => {
    await server.createWorkspace(poolId, {}, 'once')
    const again = { body: { name: 'once', pool_id: poolId } }
    expect(await server.refused('POST', '/api/v1/workspaces', again)).toMatchObject({ status: 409, code: 'conflict' })
    const nowhere = { body: { name: 'twice', pool_id: 'pool-none' } }
    expect(await server.refused('POST', '/api/v1/workspaces', nowhere)).toMatchObject({ status: 404 })
    expect(await server.refused('DELETE', `/api/v1/pools/${poolId}`)).toMatchObject({
      status: 409,
      message: `pool ${poolId} still has workspaces`,
    })
  })

  it('refuse a working directory outside the tree', async () => {
    for (const working_directory of ['/etc', '../up', 'a/../../b'])
      expect(
        await server.refused('POST', '/api/v1/workspaces', {
          body: { name: 'out', pool_id: poolId, working_directory },
        }),
      ).toMatchObject({
        status: 400,
        details: { field: '/working_directory' },
      })
  })

  it('list page by page, each once', async () => {
    const names = new Set<string>()
    let cursor = ''
    do {
      const page = await server.ok<{ items: Workspace[]; next_cursor: string | null }>(
        'GET',
        `/api/v1/workspaces?limit=1${cursor}`,
      )
      for (const { name } of page.items) {
        expect(names).not.toContain(name)
        names.add(name)
      }
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
    } while (cursor !== '')
    expect([...names]).toEqual(expect.arrayContaining(['prod', 'once']))
  })

  it('are locked by one operator at a time, shown with reason, and unlocked', async () => {
    const { id } = await server.createWorkspace(poolId, {}, 'lockable')
    const locked = await server.ok<Workspace>('POST', `/api/v1/workspaces/${id}/lock`, { body: { reason: 'audit' } })
    expect(locked.lock).toMatchObject({ reason: 'audit', owner: 'operator', task_id: null })
    expect(await server.refused('POST', `/api/v1/workspaces/${id}/lock`)).toMatchObject({
      status: 409,
      code: 'workspace_locked',
    })
    expect((await server.ok<Workspace>('POST', `/api/v1/workspaces/${id}/unlock`)).lock).toBeNull()
    expect((await server.ok<Workspace>('POST', `/api/v1/workspaces/${id}/unlock`)).lock).toBeNull()
  })

  it('are deleted with what is in them, but not under an open task', async () => {
    const { id } = await server.createWorkspace(poolId, {}, 'doomed')
    await server.ok('POST', `/api/v1/workspaces/${id}/variables`, {
      body: { key: 'a', value: 'b', category: 'terraform' },
    })
    const task = await server.ok<{ id: number }>('POST', `/api/v1/workspaces/${id}/tasks`, {
      body: { task_type: 'plan' },
    })
    expect(await server.refused('DELETE', `/api/v1/workspaces/${id}`)).toMatchObject({
      status: 409,
      details: { task_id: task.id },
    })
    await server.ok('POST', `/api/v1/tasks/${task.id}/cancel`)
    await server.ok('DELETE', `/api/v1/workspaces/${id}`)
    expect(await server.refused('GET', `/api/v1/workspaces/${id}`)).toMatchObject({ status: 404 })
    expect(await server.refused('GET', `/api/v1/tasks/${task.id}`)).toMatchObject({ status: 404 })
  })
})

describe('variables', () => {
  it('that are sensitive are write-only, and reach the task in clear', async () => {
    const { id } = await server.createWorkspace(poolId, {}, 'secrets')
    const path = `/api/v1/workspaces/${id}/variables`
    const body = { key: 'password', value: 'hunter2-not-listed', category: 'terraform', sensitive: true }
    const made = await server.ok<Variable>('POST', path, { body })
    expect(made).toMatchObject({ key: 'password', value: null, sensitive: true, hcl: false })
    const { bytes } = await server.call('GET', path)
    expect(bytes.toString()).not.toContain('hunter2')
    const patched = await server.call('PATCH', `${path}/${made.id}`, { body: { hcl: true } })
    expect(patched.bytes.toString()).not.toContain('hunter2')
    const shown = await server.refused('PATCH', `${path}/${made.id}`, { body: { sensitive: false } })
    expect(shown).toMatchObject({ status: 400, message: 'a variable that stops being sensitive needs a new value' })
    const snapshot = await server.store.read((reader) => createSnapshot(reader, id))
    expect(snapshot.variables).toEqual([
      { key: 'password', value: 'hunter2-not-listed', category: 'terraform', sensitive: true, hcl: true },
    ])
    const opened = await server.ok<Variable>('PATCH', `${path}/${made.id}`, {
      body: { sensitive: false, value: 'public' },
    })
    expect(opened.value).toBe('public')
  })

  it('of the environment take no reserved name and no NUL by a change either', async () => {
    const { id } = await server.createWorkspace(poolId, {}, 'environment')
    const path = `/api/v1/workspaces/${id}/variables`
    const make = (key: string, value: string, category: string) =>
      server.ok<Variable>('POST', path, { body: { key, value, category } })
    const plain = await make('PLAIN', 'a', 'environment')
    const reserved = { status: 400, details: { field: '/key', name: 'LD_PRELOAD', reserved: 'LD_*' } }
    expect(await server.refused('PATCH', `${path}/${plain.id}`, { body: { key: 'LD_PRELOAD' } })).toMatchObject(
      reserved,
    )
    const terraforms = await make('LD_PRELOAD', 'a\0b', 'terraform')
    const moved = { body: { category: 'environment' } }
    expect(await server.refused('PATCH', `${path}/${terraforms.id}`, moved)).toMatchObject(reserved)
    const nul = { status: 400, message: 'an environment variable cannot hold a NUL character' }
    expect(await server.refused('PATCH', `${path}/${plain.id}`, { body: { value: 'a\0b' } })).toMatchObject(nul)
    const settings = { body: { system_variables: { A: '\0' } } }
    expect(await server.refused('PATCH', `/api/v1/workspaces/${id}`, settings)).toMatchObject(nul)
    const known = { body: { system_variables: { TF_DATA_DIR: 'x' } } }
    expect(await server.refused('PATCH', `/api/v1/workspaces/${id}`, known)).toMatchObject({
      details: { field: '/system_variables', reserved: 'TF_DATA_DIR' },
    })
  })

  it('have a key once in a category, and can be changed and deleted', async () => {
    const { id } = await server.createWorkspace(poolId, {}, 'variables')
    const path = `/api/v1/workspaces/${id}/variables`
    const body = { key: 'region', value: 'eu', category: 'terraform' }
    const made = await server.ok<Variable>('POST', path, { body })
    expect(await server.refused('POST', path, { body })).toMatchObject({ status: 409, code: 'conflict' })
    await server.ok('POST', path, { body: { ...body, category: 'environment' } })
    expect(await server.refused('PATCH', `${path}/${made.id}`, { body: { category: 'environment' } })).toMatchObject({
      code: 'conflict',
    })
    expect(await server.ok('PATCH', `${path}/${made.id}`, { body: { value: 'us' } })).toMatchObject({
      value: 'us',
      key: 'region',
    })
    await server.ok('DELETE', `${path}/${made.id}`)
    expect(await server.refused('DELETE', `${path}/${made.id}`)).toMatchObject({ status: 404 })
    expect((await server.ok<{ items: Variable[] }>('GET', path)).items).toHaveLength(1)
  })

  it.each([
    'TF_HTTP_ADDRESS',
    'TF_CLI_ARGS_plan',
    'TF_WORKSPACE',
    'TF_DATA_DIR',
    'TF_LOG',
    'TF_INPUT',
    'TF_IN_AUTOMATION',
    'TF_CLI_CONFIG_FILE',
    'TF_PLUGIN_CACHE_DIR',
    'LD_PRELOAD',
    'IAC_AGENT_APP_SECRET',
  ])('named %s are refused in the environment, not as a terraform variable', async (key) => {
    const path = '/api/v1/workspaces/name:prod/variables'
    const refused = await server.refused('POST', path, { body: { key, value: 'x', category: 'environment' } })
    expect(refused).toMatchObject({ status: 400, code: 'invalid_request', details: { field: '/key', name: key } })
    expect(refused.message).toContain(`${key} is reserved for the agent`)
    const system = { body: { system_variables: { [key]: 'x' } } }
    expect(await server.refused('PATCH', '/api/v1/workspaces/name:prod', system)).toMatchObject({ status: 400 })
    const made = await server.ok<Variable>('POST', path, { body: { key, value: 'x', category: 'terraform' } })
    expect(await server.refused('PATCH', `${path}/${made.id}`, { body: { category: 'environment' } })).toMatchObject({
      status: 400,
    })
  })
})

describe('resources', () => {
  it('get a new version with each change', async () => {
    const { id } = await server.createWorkspace(poolId, {}, 'resources')
    const path = `/api/v1/workspaces/${id}/resources`
    const body = { resource_type: 'terraform_data', resource_name: 'one', tf_code: { input: 1 } }
    const made = await server.ok<Resource>('POST', path, { body })
    expect(made).toMatchObject({ ...body, version: 1 })
    expect(await server.refused('POST', path, { body })).toMatchObject({ status: 409, code: 'conflict' })
    const changed = await server.ok<Resource>('PATCH', `${path}/${made.id}`, { body: { tf_code: { input: 2 } } })
    expect(changed).toMatchObject({ version: 2, tf_code: { input: 2 } })
    const snapshot = await server.store.read((reader) => createSnapshot(reader, id))
    expect(snapshot.resources).toMatchObject([{ id: made.id, current_version: { version: 2, tf_code: { input: 2 } } }])
    await server.ok('DELETE', `${path}/${made.id}`)
    expect((await server.ok<{ items: Resource[] }>('GET', path)).items).toEqual([])
  })
})
