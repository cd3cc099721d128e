/** Reads server-sent events as a browser would. */

export interface ReceivedEvent {
  id: string | undefined
  event: string
  data: Record<string, unknown>
}

/** Opens a stream; the answer's status is checked by the caller. Dispose leaves it. */
export async function openEvents(
  url: string,
  headers: Record<string, string>,
): Promise<{ response: Response; events: AsyncGenerator<ReceivedEvent> } & Disposable> {
  const leaving = new AbortController()
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: leaving.signal })
  return { response, events: eventsOf(response), [Symbol.dispose]: () => leaving.abort() }
}

/** The next event that fits. */
export async function nextEvent(
  events: AsyncGenerator<ReceivedEvent>,
  fits: (event: ReceivedEvent) => boolean = () => true,
): Promise<ReceivedEvent> {
  for (let next = await events.next(); next.done !== true; next = await events.next())
    if (fits(next.value)) return next.value
  throw new Error('the stream ended')
}

async function* eventsOf(response: Response): AsyncGenerator<ReceivedEvent> {
  if (response.body === null) throw new Error('no body')
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = parsed(text.slice(0, end))
      text = text.slice(end + 2)
      if (event !== undefined) yield event
    }
  }
}

function parsed(block: string): ReceivedEvent | undefined {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const data = fields.get('data')
  if (data === undefined) return undefined
  return {
    id: fields.get('id'),
    event: fields.get('event') ?? 'message',
    data: JSON.parse(data) as Record<string, unknown>,
  }
}
