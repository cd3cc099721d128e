/** Which of the states an apply left behind is the one that counts. */
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StateOrigin } from '../journal/attempt-record.js'
import { type Ballast, noBallast } from '../journal/ballast.js'
import { type IncomingState, keepState, receiveState } from './incoming-state.js'
import { printedState } from './printed-state.js'
import { listStates, prepareStatesDirectory, type StoredState } from './stored-state.js'

export interface StateCandidate extends StoredState {
  readonly origin: StateOrigin
}

/** Same lineage, highest serial; of equal serials the one that came last. Pure. The rest is kept, but does not count. */
export function chooseState(
  candidates: readonly StateCandidate[],
  lineage: string,
): { current: StateCandidate | undefined; aside: StateCandidate[] } {
  const ours = candidates.filter((candidate) => !candidate.foreign && candidate.lineage === lineage)
  const ranked = [...ours].sort((one, other) => other.serial - one.serial || other.order - one.order)
  return { current: ranked[0], aside: candidates.filter((candidate) => candidate !== ranked[0]) }
}

/** The ranges to search. */
export interface CandidateSources {
  readonly statesDir: string
  /** The root module, where terraform leaves `errored.tfstate` when its backend refuses a state. */
  readonly rootDir: string
  /** Raw output of the apply, where it prints the state when that fails too. */
  readonly outputFile?: string
  readonly lineage: string
  /** Spent on a state that finds no room. Default: none. */
  readonly ballast?: Pick<Ballast, 'giveBack'>
}

/**
 * All states there are: those stored by the backend, and copies (durable in `statesDir`) of errored.tfstate and of a printed one.
 * The same bytes are taken once, so it can be called again. Empty and unreadable ones are no candidates.
 */
export async function collectCandidates(sources: CandidateSources): Promise<StateCandidate[]> {
  const { statesDir, rootDir, outputFile, lineage, ballast = noBallast } = sources
  await prepareStatesDirectory(statesDir)
  const candidates = (await listStates(statesDir)).map(posted)
  const left: [StateOrigin, AsyncIterable<Uint8Array>][] = [['errored', bytesOf(join(rootDir, 'errored.tfstate'))]]
  if (outputFile !== undefined) left.push(['printed', printedState(outputFile)])
  for (const [origin, bytes] of left) {
    const begun = await beginning(bytes)
    if (begun === undefined) continue // as a rule nothing is left, and then nothing is written either
    const incoming = await receiveState(statesDir, origin, begun, ballast)
    const known = candidates.find(({ sha256 }) => sha256 === incoming.sha256)
    const order = (candidates.at(-1)?.order ?? 0) + 1
    const state = known === undefined ? await keep(statesDir, incoming, order, lineage) : undefined
    if (state !== undefined) candidates.push({ ...state, origin })
    await rm(incoming.draft, { force: true })
  }
  return candidates
}

function posted(state: StoredState): StateCandidate {
  return { ...state, origin: 'posted' }
}

async function keep(
  statesDir: string,
  incoming: IncomingState,
  order: number,
  ours: string,
): Promise<StoredState | undefined> {
  const { serial, lineage, version } = incoming.head ?? {}
  if (serial === undefined || lineage === undefined || version !== 4 || !incoming.isClosed) return undefined
  return await keepState(statesDir, incoming, { order, serial, lineage, foreign: lineage !== ours })
}

/** The same bytes once it is known that there are some; undefined when there are none. */
async function beginning(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array> | undefined> {
  const pieces = bytes[Symbol.asyncIterator]()
  const first = await pieces.next()
  if (first.done) return undefined
  return (async function* () {
    yield first.value
    yield* { [Symbol.asyncIterator]: () => pieces }
  })()
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Buffer
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EISDIR') throw cause // absent: no bytes, which are no state
  }
}
