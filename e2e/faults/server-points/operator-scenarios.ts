/** What operators do, call by call; each call may meet a server that dies, and is then said again. */
import { createHash, randomUUID } from 'node:crypto'
import { packTree, temporaryDirectory } from '@iac-agent/testkit'
import { writeTree } from '../../rig.js'
import { type MortalServer, poolAndKey, unlessDone } from './mortal-server.js'

/** Pools, keys and tokens. Answers what is left of them. */
export async function access({ client }: MortalServer): Promise<unknown> {
  const { poolId } = await poolAndKey(client, 'p')
  for (const { id } of (await client.pools.listKeys({ params: { id: poolId } })).items) {
    await client.pools.revokeKey({ params: { id: poolId, key_id: id } })
  }
  const keys = (await client.pools.listKeys({ params: { id: poolId } })).items
  await unlessDone(client.tokens.create({ body: { name: 'olga', role: 'operator' } }), 'conflict')
  const [token] = (await client.tokens.list()).items
  await unlessDone(client.tokens.remove({ params: { id: token?.id ?? '' } }), 'not_found')
  await unlessDone(client.pools.remove({ params: { id: poolId } }), 'not_found')
  const left = [(await client.tokens.list()).items, (await client.pools.list()).items]
  return { token: token?.name, isRevoked: keys.every(({ revoked_at }) => revoked_at !== null), left }
}

/** A workspace, its variables, resources, configuration, states and tasks. Answers what they came to. */
export async function workspace({ client }: MortalServer): Promise<unknown> {
  const { poolId } = await poolAndKey(client, 'p')
  await unlessDone(client.workspaces.create({ body: { name: 'w', pool_id: poolId } }), 'conflict')
  const params = { id: 'name:w' }
  const { id, lineage } = await client.workspaces.get({ params })
  await client.workspaces.update({ params, body: { labels: { tier: 'one' } } })
  await unlessDone(client.workspaces.lock({ params, body: { reason: 'mine' } }), 'workspace_locked')
  const { lock } = await client.workspaces.get({ params })
  await client.workspaces.unlock({ params })
  const variables = await variablesOf()
  const resources = await resourcesOf()
  const configuration = await upload()
  const states = await statesOf()
  const tasks = await tasksOf()
  const { labels, lock: unlocked, configuration_id } = await client.workspaces.get({ params })
  await unlessDone(client.workspaces.create({ body: { name: 'short', pool_id: poolId } }), 'conflict')
  await unlessDone(client.workspaces.remove({ params: { id: 'name:short' } }), 'not_found')
  const names = (await client.workspaces.list()).items.map(({ name }) => name)
  const isConfigured = configuration_id !== null
  return {
    names,
    labels,
    lock: lock?.reason,
    unlocked,
    variables,
    resources,
    configuration,
    isConfigured,
    states,
    tasks,
  }

  async function variablesOf() {
    const body = { key: 'k', value: '1', category: 'terraform' as const }
    for (const key of ['k', 'gone'])
      await unlessDone(client.variables.create({ params, body: { ...body, key } }), 'conflict')
    const idOf = async (key: string) =>
      (await client.variables.list({ params })).items.find((one) => one.key === key)?.id ?? ''
    const kept = { id, variable_id: await idOf('k') }
    await client.variables.update({ params: kept, body: { value: '2' } })
    const gone = { id, variable_id: await idOf('gone') }
    await unlessDone(client.variables.remove({ params: gone }), 'not_found')
    return (await client.variables.list({ params })).items.map(({ key, value }) => ({ key, value }))
  }

  async function resourcesOf() {
    for (const resource_name of ['r', 'gone']) {
      const body = { resource_type: 'terraform_data', resource_name, tf_code: {} }
      await unlessDone(client.resources.create({ params, body }), 'conflict')
    }
    const find = async (name: string) =>
      (await client.resources.list({ params })).items.find((one) => one.resource_name === name)?.id ?? ''
    const body = { tf_code: { input: 'x' } }
    await client.resources.update({ params: { id, resource_id: await find('r') }, body })
    await unlessDone(client.resources.remove({ params: { id, resource_id: await find('gone') } }), 'not_found')
    const { items } = await client.resources.list({ params })
    return items.map(({ resource_name, tf_code }) => ({ resource_name, tf_code }))
  }

  /** Random text does not pack: its archive is stored in several parts. */
  async function upload() {
    await using directory = await temporaryDirectory('tree')
    await writeTree(directory.path, { 'main.tf': 'output "a" { value = 1 }', 'noise.txt': noise })
    const body = await packTree(directory.path)
    const { sha256 } = await client.workspaces.putConfiguration({ params, body })
    return { isWhole: sha256 === createHash('sha256').update(body).digest('hex') }
  }

  async function statesOf() {
    const head = { version: 4, terraform_version: '1.11.4', lineage, outputs: {}, resources: [] }
    for (const serial of [1, 2]) await client.states.import({ params, body: JSON.stringify({ ...head, serial }) })
    const broken = `{"version":4,"serial":3,"lineage":"${lineage}","pad":"${noise}"`
    const refusal = await client.states.import({ params, body: broken }).catch((fault: Error) => fault.message)
    const versions = async () => (await client.states.list({ params })).items
    const [first] = (await versions()).filter(({ serial }) => serial === 1)
    await client.states.promote({ params: { id, version_id: first?.id ?? '' }, body: {} })
    const listed = (await versions()).map(({ version, serial, current }) => ({ version, serial, current }))
    return { isRefused: typeof refusal === 'string', listed }
  }

  async function tasksOf() {
    const headers = { 'idempotency-key': 'once' }
    const task = await client.tasks.create({ params, body: { task_type: 'plan' }, headers })
    const { status } = await client.tasks.cancel({ params: { id: task.id } })
    const { items } = await client.tasks.list({ query: { workspace_id: id } })
    return { count: items.length, status }
  }
}

/** A bit more than two parts of a blob; the same for every run. */
const noise = Array.from({ length: 75_000 }, () => randomUUID()).join('')
