import { startFakeAgent } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { TestServer } from '../_util/test-server.js'

async function scrape(
  server: TestServer,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${server.url}/metrics`, { headers })
  return { status: answer.status, text: await answer.text() }
}

describe('/metrics', () => {
  it('needs a token, of the least role', async () => {
    await using server = await TestServer.start()
    expect((await scrape(server)).status).toBe(401)
    const token = await server.createToken('eyes', 'read_only')
    expect((await scrape(server, { authorization: `Bearer ${token}` })).status).toBe(200)
  })

  it('is for anybody when told so', async () => {
    await using server = await TestServer.start({ metricsPublic: true })
    expect((await scrape(server)).status).toBe(200)
  })

  it('counts requests, tasks, agents and the process', async () => {
    await using server = await TestServer.start({ metricsPublic: true })
    const before = (await scrape(server)).text
    expect(before).toContain('iac_agents{status="online"} 0')
    expect(before).toContain('process_cpu_seconds_total')
    const { poolId, key } = await server.createPoolAndKey()
    const { id } = await server.createWorkspace(poolId)
    await using agent = await startFakeAgent({ url: server.url, key })
    await server.ok('POST', `/api/v1/workspaces/${id}/tasks`, { body: { task_type: 'plan' } })
    await agent.next('run_task')
    const after = (await scrape(server)).text
    expect(after).toContain('iac_agents{status="online"} 1')
    expect(after).toMatch(/iac_tasks\{status="(pending|running)"\} 1/)
    expect(after).toContain('iac_tasks_unreachable 0')
    expect(after).toContain('iac_http_request_seconds_count{endpoint="createTask",status="201"} 1')
  })
})
