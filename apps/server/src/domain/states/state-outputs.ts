/** The outputs of a state as JSON text, made of its own bytes: numbers stay as terraform wrote them. */
import { streamBlob } from '../../store/blobs.js'
import { findCurrentState } from '../../store/state-rows.js'
import type { Store } from '../../store/store.js'
import { type Members, scanMembers } from '../json-scan.js'

/** `{"outputs":{name:{value,type,sensitive}}}` of the current state; sensitive values are null; no state, no outputs. */
export async function stateOutputs(deps: { store: Store }, workspaceId: string): Promise<Buffer> {
  const current = await deps.store.read((reader) => findCurrentState(reader, workspaceId))
  const found = current && (await findOutputs(deps.store, current.sha256))
  if (!found) return Buffer.from('{"outputs":{}}')
  const entries = [...found.outputs.byKey].map(([name, { start }]) => {
    const output = scanMembers(found.bytes, start)
    return output ? [`${JSON.stringify(name)}:${describe(found.bytes, output)}`] : []
  })
  return Buffer.from(`{"outputs":{${entries.flat().join(',')}}}`)
}

/** Terraform writes outputs before resources: as a rule the first part is enough. */
async function findOutputs(store: Store, sha256: string): Promise<{ bytes: Buffer; outputs: Members } | undefined> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  let nextTryBytes = 0
  for await (const part of streamBlob(store, sha256)) {
    parts.push(part)
    sizeBytes += part.length
    if (sizeBytes < nextTryBytes) continue
    nextTryBytes = sizeBytes * 2
    const found = outputsIn(Buffer.concat(parts))
    if (found) return found
  }
  return outputsIn(Buffer.concat(parts))
}

function outputsIn(bytes: Buffer): { bytes: Buffer; outputs: Members } | undefined {
  const slice = scanMembers(bytes)?.byKey.get('outputs')
  const outputs = slice && scanMembers(bytes, slice.start)
  return outputs ? { bytes, outputs } : undefined
}

function describe(bytes: Buffer, output: Members): string {
  const raw = (key: string): string | undefined => {
    const slice = output.byKey.get(key)
    return slice && bytes.toString('utf8', slice.start, slice.end)
  }
  const isSensitive = raw('sensitive') === 'true'
  return `{"value":${isSensitive ? 'null' : (raw('value') ?? 'null')},"type":${raw('type') ?? 'null'},"sensitive":${isSensitive}}`
}
