/** A text frame becomes a message, or null when its type is unknown (logged and skipped by the receiver, so that N and N-1 can talk). */
import { Type } from 'typebox'
import { InvalidInput, parse } from '../parse.js'
import { type AgentMessage, agentMessageSchemas } from './agent-messages.js'
import { type ServerMessage, serverMessageSchemas } from './server-messages.js'

const Envelope = Type.Object({ type: Type.String(), payload: Type.Optional(Type.Unknown()) })

/** @throws InvalidInput when the frame is no JSON or its payload is not of the type's shape */
export function decodeAgentMessage(frame: string): AgentMessage | null {
  return decode(agentMessageSchemas, frame) as AgentMessage | null
}

/** @throws InvalidInput when the frame is no JSON or its payload is not of the type's shape */
export function decodeServerMessage(frame: string): ServerMessage | null {
  return decode(serverMessageSchemas, frame) as ServerMessage | null
}

function decode(schemas: Record<string, import('typebox').TSchema>, frame: string): unknown {
  const envelope = parse(Envelope, parseJson(frame), 'message')
  const schema = Object.hasOwn(schemas, envelope.type) ? schemas[envelope.type] : undefined
  return schema === undefined ? null : parse(schema, envelope, `message ${envelope.type}`)
}

function parseJson(frame: string): unknown {
  try {
    return JSON.parse(frame)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new InvalidInput('message', '', 'is no JSON') // V8 quotes the text around the fault, which may be a secret
  }
}

/** Close codes of the C&C socket. */
export const closeCodes = {
  /** the credential is wrong or was revoked */
  unauthorized: 4401,
  /** this process, or a later start of it, connected again */
  replaced: 4409,
  /** another live agent holds this agent_id */
  identityInUse: 4410,
  /** protocol versions too far apart; the reason names both */
  versionSkew: 4426,
  /** nothing was heard for the silence timeout */
  silent: 4408,
} as const
