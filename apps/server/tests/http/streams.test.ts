import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Task } from '@iac-agent/protocol'
import { type FakeAgent, startFakeAgent } from '@iac-agent/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { nextEvent, openEvents } from '../_util/event-source.js'
import { adminToken, TestServer } from '../_util/test-server.js'

const auth = { authorization: `Bearer ${adminToken}` }

/** A server with a connected agent that accepted the plan of a task. */
async function planning(server: TestServer, agentOf: { close?: FakeAgent } = {}) {
  const { poolId, key } = await server.createPoolAndKey()
  const workspace = await server.createWorkspace(poolId)
  const agent = await startFakeAgent({ url: server.url, key })
  agentOf.close = agent
  const task = await server.ok<Task>('POST', `/api/v1/workspaces/${workspace.id}/tasks`, {
    body: { task_type: 'plan' },
  })
  const run = await agent.next('run_task')
  agent.send('task_accepted', { task_id: task.id, attempt: run.attempt })
  const send = async (offset: number, text: string) => {
    const body = { phase: 'plan', content: text, offset }
    const answer = await agent.http('POST', `/tasks/${task.id}/logs/chunk`, { lease: run.lease_token ?? '', body })
    expect(answer.status).toBe(200)
  }
  const seal = async (text: string) => {
    const bytes = Buffer.from(text)
    const body = { phase: 'plan', total_bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    expect(
      (await agent.http('POST', `/tasks/${task.id}/logs/seal`, { lease: run.lease_token ?? '', body })).status,
    ).toBe(200)
  }
  return { agent, task, send, seal }
}

afterEach(() => vi.useRealTimers())

describe('the log stream', () => {
  it('follows a log as it grows, its ids are offsets, and it ends with the log', async () => {
    await using server = await TestServer.start()
    const { agent, task, send, seal } = await planning(server)
    await using _agent = agent
    using stream = await openEvents(`${server.url}/api/v1/tasks/${task.id}/logs/stream`, auth)
    expect(stream.response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(await agent.next('start_realtime_stream')).toEqual({ task_id: task.id })
    await send(0, 'Grüße\n')
    expect(await nextEvent(stream.events)).toEqual({ id: '8', event: 'message', data: { offset: 0, text: 'Grüße\n' } })
    await send(8, 'second\n')
    expect(await nextEvent(stream.events)).toMatchObject({ id: '15', data: { offset: 8, text: 'second\n' } })
    await seal('Grüße\nsecond\n')
    expect(await nextEvent(stream.events)).toMatchObject({
      id: '15',
      event: 'end',
      data: { state: 'complete', next_offset: 15 },
    })
    expect((await stream.events.next()).done).toBe(true)
    expect(await agent.next('stop_realtime_stream')).toEqual({ task_id: task.id })
  })

  it('goes on where Last-Event-ID says', async () => {
    await using server = await TestServer.start()
    const { agent, task, send } = await planning(server)
    await using _agent = agent
    await send(0, 'first\nsecond\n')
    using stream = await openEvents(`${server.url}/api/v1/tasks/${task.id}/logs/stream?offset=3`, {
      ...auth,
      'last-event-id': '6',
    })
    expect(await nextEvent(stream.events)).toMatchObject({ id: '13', data: { offset: 6, text: 'second\n' } })
  })

  it('says every 15 s that it is still there', async () => {
    await using server = await TestServer.start()
    const { agent, task } = await planning(server)
    await using _agent = agent
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const leaving = new AbortController()
    const url = `${server.url}/api/v1/tasks/${task.id}/logs/stream`
    const response = await fetch(url, { headers: auth, signal: leaving.signal })
    const reader = response.body?.getReader()
    const said = reader?.read()
    vi.advanceTimersByTime(15_000)
    expect(Buffer.from((await said)?.value ?? []).toString()).toMatch(/^: .*\n\n$/)
    leaving.abort()
  })

  it('is cut off for who takes nothing for a minute, and the others go on', async () => {
    await using server = await TestServer.start()
    const { agent, task, send } = await planning(server)
    await using _agent = agent
    const path = `/api/v1/tasks/${task.id}/logs/stream`
    const deaf = connect(Number(new URL(server.url).port), '127.0.0.1')
    deaf.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${adminToken}\r\n\r\n`)
    await once(deaf, 'data')
    deaf.pause()
    using stream = await openEvents(`${server.url}${path}`, auth)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const piece = 'x'.repeat(999_999)
    for (let chunk = 0; chunk < 12; chunk++) await send(chunk * 1_000_000, `${piece}\n`)
    for (let seen = 0; seen < 12_000_000; ) seen = Number((await nextEvent(stream.events)).id)
    vi.advanceTimersByTime(60_000)
    vi.useRealTimers()
    await send(12_000_000, 'last')
    expect(await nextEvent(stream.events)).toMatchObject({ data: { text: 'last' } })
    let read = 0
    for await (const bytes of deaf) read += (bytes as Buffer).length
    expect(read).toBeLessThan(12_000_000)
  })

  it('of an unknown task is an error answer', async () => {
    await using server = await TestServer.start()
    expect(await server.refused('GET', '/api/v1/tasks/77/logs/stream')).toMatchObject({
      status: 404,
      code: 'not_found',
    })
  })

  it('ends when the server stops, and keeps it from nothing', async () => {
    const server = await TestServer.start()
    const { agent, task } = await planning(server)
    await using _agent = agent
    using stream = await openEvents(`${server.url}/api/v1/tasks/${task.id}/logs/stream`, auth)
    const ended = stream.events.next()
    await server[Symbol.asyncDispose]()
    expect((await ended).done).toBe(true)
  })

  it('is served piecewise too, with the next offset and whether it is complete', async () => {
    await using server = await TestServer.start()
    const { agent, task, send, seal } = await planning(server)
    await using _agent = agent
    await send(0, 'first\nsecond\n')
    const piece = await server.call('GET', `/api/v1/tasks/${task.id}/logs?phase=plan&limit=6`)
    expect(piece.bytes.toString()).toBe('first\n')
    expect(piece.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect([piece.headers.get('x-next-offset'), piece.headers.get('x-log-state')]).toEqual(['6', 'uploading'])
    await seal('first\nsecond\n')
    const rest = await server.call('GET', `/api/v1/tasks/${task.id}/logs?offset=6`)
    expect(rest.bytes.toString()).toBe('second\n')
    expect(rest.headers.get('x-log-state')).toBe('complete')
  })
})

describe('the event stream', () => {
  it('tells what was committed', async () => {
    await using server = await TestServer.start()
    const { poolId } = await server.createPoolAndKey()
    using stream = await openEvents(`${server.url}/api/v1/events`, auth)
    const workspace = await server.createWorkspace(poolId)
    expect(await nextEvent(stream.events)).toMatchObject({ event: 'workspace', data: { workspace_id: workspace.id } })
    const task = await server.ok<Task>('POST', `/api/v1/workspaces/${workspace.id}/tasks`, {
      body: { task_type: 'plan' },
    })
    expect(await nextEvent(stream.events, ({ event }) => event === 'task')).toMatchObject({
      data: { task_id: task.id },
    })
  })

  it('needs a token', async () => {
    await using server = await TestServer.start()
    expect(await server.refused('GET', '/api/v1/events', { token: null })).toMatchObject({ status: 401 })
  })
})
