/** Server-sent events out of bytes: the part of the standard that our server speaks. */

/** One event; `type` is `message` when the server names none. */
export interface ServerSentEvent {
  type: string
  id: string | undefined
  data: string
}

/** The events of a stream, comments left out; a last event without its blank line is dropped, as the standard says. */
export async function* serverSentEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const part of bytes) {
    const blocks = (rest + decoder.decode(part, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = eventOf(block)
      if (event) yield event
    }
  }
}

function eventOf(block: string): ServerSentEvent | undefined {
  const data: string[] = []
  let type = 'message'
  let id: string | undefined
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(\w*):? ?(.*)$/s.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'event') type = value
    else if (field === 'id') id = value
  }
  return data.length > 0 ? { type, id, data: data.join('\n') } : undefined
}
