/** Takes a state in as bytes: streamed into blob parts, its head read, its checksum judged. Never re-serialised. */
import { createHash } from 'node:crypto'
import { ApiError, readChecksum, readStateHead } from '@iac-agent/protocol'
import { type Clock, type PassingBytes, passingBytes } from '@iac-agent/runtime'
import { type BlobDraft, BlobWriter, discardDraft, receiveBlob } from '../../store/blobs.js'
import type { Store } from '../../store/store.js'
import { readString, type Slice, scanMembers, skipSpace, withoutSpace } from '../json-scan.js'
import { type JsonFinding, jsonCheck } from './json-check.js'

/** A received state that no row points at yet. */
export interface StateDraft {
  readonly blob: BlobDraft
  /** absent: counts as the current one's */
  readonly serial: number | undefined
  readonly lineage: string | undefined
  readonly terraformVersion: string | undefined
  /** a checksum came with it that fits neither its bytes nor their compact form */
  readonly checksumUnverified: boolean
}

export interface ReceiveDeps {
  readonly store: Store
  readonly clock: Clock
}

/**
 * A state sent as its own bytes (the stream bounds itself), about as many as expected, with the text of X-Content-SHA256 if there was one.
 * Throws `checksum_mismatch`, `invalid_request` when it is not one whole JSON object.
 */
export async function receiveRawState(
  deps: ReceiveDeps,
  body: AsyncIterable<Uint8Array>,
  checksum: string | undefined,
  expectedBytes = 0,
): Promise<StateDraft> {
  const draft = await takeIn(deps, body, expectedBytes)
  const expected = readChecksum(checksum)
  if (expected === null || expected === draft.blob.sha256) return draft
  await discardDraft(deps.store, draft.blob)
  throw mismatch(draft.blob.sha256)
}

/**
 * The seed's JSON body `{content, checksum?, size?}`: the state is the raw slice of `content`, or a string's value.
 * The checksum may be that of those bytes or of their form without white space outside strings; for an object that fits
 * neither, the state is taken and marked. Throws as receiveRawState does.
 */
export async function receiveWrappedState(deps: ReceiveDeps, body: Buffer): Promise<StateDraft> {
  const members = scanMembers(body)
  if (!members?.isWhole || skipSpace(body, members.end) < body.length) throw invalid('body', 'is not a JSON object')
  const content = members.byKey.get('content')
  if (!content) throw invalid('content', 'is required')
  const text = readString(body, content)
  const bytes = text === undefined ? body.subarray(content.start, content.end) : Buffer.from(text, 'utf8')
  const fits = fitsChecksum(bytes, checksumOf(body, members.byKey.get('checksum')))
  if (!fits && text !== undefined) throw mismatch(sha256(bytes))
  return { ...(await takeIn(deps, once(bytes), bytes.length)), checksumUnverified: !fits }
}

async function takeIn(
  { store, clock }: ReceiveDeps,
  body: AsyncIterable<Uint8Array>,
  expectedBytes: number,
): Promise<StateDraft> {
  await using check = passingBytes(jsonCheck, headMembers, expectedBytes)
  let finding: Promise<JsonFinding> | undefined
  const find = () => (finding ??= check.finding())
  const hash = { update: () => undefined, digest: async () => (await find()).sha256 } // seen once for both
  const blob = await receiveBlob(new BlobWriter(store, () => clock.now(), hash), watched(body, check))
  try {
    return { blob, checksumUnverified: false, ...readHead(await find(), blob.sizeBytes) }
  } catch (err) {
    await discardDraft(store, blob)
    throw err
  }
}

async function* watched(body: AsyncIterable<Uint8Array>, check: PassingBytes<JsonFinding>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    await check.push(chunk)
    yield chunk
  }
}

/** Terraform writes them first, programs that sort keys write them behind megabytes of resources. */
const headMembers = ['serial', 'lineage', 'terraform_version']

function readHead(check: JsonFinding, sizeBytes: number): Pick<StateDraft, 'serial' | 'lineage' | 'terraformVersion'> {
  const found = check.isWholeObject ? readStateHead(check.members) : undefined
  if (!found) throw invalid('state', sizeBytes === 0 ? 'is empty' : 'is not one whole JSON object')
  const { serial, lineage, terraformVersion } = found
  const { serial: given } = JSON.parse(check.members) as { serial?: unknown }
  if (typeof given === 'string' || typeof given === 'boolean') throw invalid('serial', 'must be a whole number')
  if (serial !== undefined && !(Number.isSafeInteger(serial) && serial >= 0))
    throw invalid('serial', 'must be a whole number')
  return { serial, lineage: lineage === '' ? undefined : lineage, terraformVersion }
}

/** null: none given; undefined: something that is no SHA-256. */
function checksumOf(body: Buffer, slice: Slice | undefined): string | null | undefined {
  if (!slice || body.toString('latin1', slice.start, slice.end) === 'null') return null
  const text = readString(body, slice)
  if (text === undefined) throw invalid('checksum', 'must be a string')
  return readChecksum(text)
}

function fitsChecksum(bytes: Buffer, expected: string | null | undefined): boolean {
  if (expected === null) return true
  return expected !== undefined && (expected === sha256(bytes) || expected === sha256(withoutSpace(bytes)))
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

function mismatch(received: string): ApiError {
  return new ApiError('checksum_mismatch', 'the checksum is not that of the state received', { sha256: received })
}

function invalid(field: string, problem: string): ApiError {
  return new ApiError('invalid_request', `${field} ${problem}`, { field })
}
