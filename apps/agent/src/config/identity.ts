/** Who this agent is: made once per data directory, so that a restart is the same agent. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parse } from '@iac-agent/protocol'
import { CommandError, ExitCode, Secret, writeFileAtomic } from '@iac-agent/runtime'
import { type Static, Type } from 'typebox'

const StoredIdentity = Type.Object({
  agentId: Type.String({ minLength: 1 }),
  /** Of the host that used the directory last; empty where the host has none. */
  machineId: Type.String(),
  /** How many times a daemon has started here: a later one replaces an earlier one's socket. */
  bootEpoch: Type.Integer({ minimum: 0 }),
  /** By which the server knows this agent again; an older version made none. */
  secret: Type.Optional(Type.String({ minLength: 32 })),
})
type StoredIdentity = Static<typeof StoredIdentity>

export interface AgentIdentity extends Omit<StoredIdentity, 'secret'> {
  secret: Secret
  /** Of this process alone. */
  instanceId: string
  /** The directory was used on another machine before. */
  hasMoved: boolean
}

/** Reads the identity kept at `path`, or makes one, and counts this start. Durable before it resolves. @throws CommandError 2 */
export async function startIdentity(path: string): Promise<AgentIdentity> {
  const machineId = (await textOf('/etc/machine-id'))?.trim() ?? ''
  const text = await textOf(path)
  const known = text === undefined ? undefined : parseIdentity(text, path)
  const stored = {
    agentId: known?.agentId ?? `agent-${randomUUID()}`,
    machineId,
    bootEpoch: (known?.bootEpoch ?? 0) + 1,
    secret: known?.secret ?? `iag_${randomBytes(32).toString('base64url')}`,
  }
  await writeFileAtomic(path, `${JSON.stringify(stored)}\n`)
  const hasMoved = known !== undefined && known.machineId !== '' && machineId !== '' && known.machineId !== machineId
  return { ...stored, secret: new Secret(stored.secret), instanceId: randomUUID(), hasMoved }
}

function parseIdentity(text: string, path: string): StoredIdentity {
  try {
    return parse(StoredIdentity, JSON.parse(text), path)
  } catch (cause) {
    throw new CommandError(
      `${path} does not say who this agent is (${(cause as Error).message}); put it back from a copy, or remove it to start as a new agent`,
      ExitCode.usage,
      { cause },
    )
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}
