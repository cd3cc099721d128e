import { ApiError } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { createClient, NoAnswer, StrangeAnswer } from './index.js'

const pool = { id: 'pool-1', name: 'p', created_at: '2026-01-01T00:00:00Z' }

describe('a call', () => {
  it('goes to the path of its contract with token, encoded params, query and body', async () => {
    const { client, seen } = clientAnswering(() => Response.json({ items: [pool], next_cursor: null }))
    await client.pools.list({ query: { limit: 5 } })
    expect(seen[0]).toMatchObject({ url: 'http://server/prefix/api/v1/pools?limit=5', method: 'GET' })
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer secret')
    await client.pools.remove({ params: { id: 'a/b c' } }).catch(() => {})
    expect(seen[1]).toMatchObject({ url: 'http://server/prefix/api/v1/pools/a%2Fb%20c', method: 'DELETE' })
    await client.pools.create({ body: { name: 'x' } }).catch(() => {})
    expect(await seen[2]?.text()).toBe('{"name":"x"}')
  })

  it('answers bytes as the response itself', async () => {
    const { client } = clientAnswering(() => new Response('{"serial": 12345678901234567890}'))
    const response = await client.states.current({ params: { id: 'ws-1' } })
    expect(await response.text()).toBe('{"serial": 12345678901234567890}')
  })

  it('throws the verdict of the server with code, details and request id', async () => {
    const { client } = clientAnswering(() =>
      Response.json(
        { error: { code: 'plan_stale', message: 'The state moved.', details: { serial: 4 } }, request_id: 'r-1' },
        { status: 409 },
      ),
    )
    const refusal = client.tasks.confirm({ params: { id: 7 } })
    await expect(refusal).rejects.toThrow(ApiError)
    await expect(refusal).rejects.toMatchObject({ code: 'plan_stale', details: { serial: 4 }, requestId: 'r-1' })
  })

  it("calls a proxy's page strange, not a verdict", async () => {
    const { client } = clientAnswering(() => new Response('<html>Bad gateway</html>', { status: 502 }))
    await expect(client.open.version()).rejects.toThrow(StrangeAnswer)
  })

  it('refuses an answer that breaks the contract, naming the field', async () => {
    const { client } = clientAnswering(() => Response.json({ ...pool, name: 7 }))
    await expect(client.pools.get({ params: { id: 'x' } })).rejects.toThrow('answer of getPool: /name must be string')
  })

  it('says what it was when nobody answers', async () => {
    const { client } = clientAnswering(() => {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
    })
    await expect(client.open.livez()).rejects.toThrow(NoAnswer)
    await expect(client.open.livez()).rejects.toThrow('livez: no answer (connect ECONNREFUSED)')
  })
})

describe('a log stream', () => {
  it('resumes a lost stream from the last offset and ends with the state of the log', async () => {
    const answers = [
      'id: 3\ndata: {"offset":0,"text":"ab\\n"}\n\n: still here\n\n',
      'id: 6\ndata: {"offset":3,"text":"c\\r\\n"}\n\nevent: end\ndata: {"state":"complete"}\n\n',
    ]
    const { client, seen } = clientAnswering(() => new Response(answers.shift()))
    const pieces = []
    for await (const piece of client.streamLogs(7, { phase: 'plan', resumeAfterMs: 1 })) pieces.push(piece)
    expect(pieces).toEqual([
      { text: 'ab\n', nextOffset: 3 },
      { text: 'c\r\n', nextOffset: 6 },
      { text: '', nextOffset: 6, state: 'complete' },
    ])
    expect(seen[1]?.url).toContain('offset=3')
    expect(seen[1]?.headers.get('last-event-id')).toBe('3')
  })

  it('puts an event together that came in halves, inside a character too', async () => {
    const bytes = new TextEncoder().encode(
      'id: 5\ndata: {"offset":0,"text":"ü€"}\n\nevent: end\ndata: {"state":"gap"}\n\n',
    )
    const { client } = clientAnswering(() => new Response(ReadableStream.from([...bytes].map((b) => Uint8Array.of(b)))))
    const pieces = []
    for await (const piece of client.streamLogs(7)) pieces.push(piece)
    expect(pieces).toEqual([
      { text: 'ü€', nextOffset: 5 },
      { text: '', nextOffset: 5, state: 'gap' },
    ])
  })

  it('ends without an error when it is aborted', async () => {
    const stop = new AbortController()
    const { client } = clientAnswering(() => new Response('id: 1\ndata: {"offset":0,"text":"a"}\n\n'))
    const pieces = []
    for await (const piece of client.streamLogs(7, { signal: stop.signal, resumeAfterMs: 1 })) {
      pieces.push(piece.text)
      stop.abort()
    }
    expect(pieces).toEqual(['a'])
  })
})

function clientAnswering(answer: () => Response) {
  const seen: Request[] = []
  const client = createClient({
    baseUrl: 'http://server/prefix/',
    token: 'secret',
    fetch: async (url, init) => {
      seen.push(new Request(url, init))
      return answer()
    },
  })
  return { client, seen }
}
