import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InvalidInput } from '../parse.js'
import { agentMessageSchemas } from './agent-messages.js'
import { decodeAgentMessage, decodeServerMessage } from './decode.js'
import { serverMessageSchemas } from './server-messages.js'

const sides = [
  { side: 'agent', decode: decodeAgentMessage, schemas: agentMessageSchemas },
  { side: 'server', decode: decodeServerMessage, schemas: serverMessageSchemas },
] as const

function fixtures(side: string): { name: string; text: string }[] {
  const folder = new URL(`fixtures/${side}/`, import.meta.url)
  return readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
}

describe.each(sides)('messages of the $side', ({ side, decode, schemas }) => {
  it.each(fixtures(side))('decodes the golden fixture $name unchanged', ({ text }) => {
    expect(decode(text)).toEqual(JSON.parse(text))
  })

  it('has a golden fixture for every message type', () => {
    const covered = new Set(fixtures(side).map(({ text }) => (JSON.parse(text) as { type: string }).type))
    expect([...covered].sort()).toEqual(Object.keys(schemas).sort())
  })

  it('skips an unknown type, and one that is a name of Object.prototype', () => {
    expect(decode('{"type":"telepathy","payload":{}}')).toBeNull()
    expect(decode('{"type":"constructor","payload":{}}')).toBeNull()
  })

  it('refuses what is no JSON, and no envelope', () => {
    expect(() => decode('{"type":')).toThrow(InvalidInput)
    expect(() => decode('[1]')).toThrow('message: must be object')
  })
})

describe('a message with a wrong field', () => {
  it('is refused with the field named', () => {
    expect(() => decodeAgentMessage('{"type":"task_accepted","payload":{"task_id":"7","attempt":1}}')).toThrow(
      'message task_accepted: /payload/task_id must be integer',
    )
    expect(() => decodeServerMessage('{"type":"run_task","payload":{"task_id":7}}')).toThrow(
      /\/payload\/workspace_id is required/,
    )
  })
})
