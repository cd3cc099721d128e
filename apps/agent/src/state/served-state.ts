/** What a GET of the state answers: the newest bytes, or an empty state of the workspace's lineage. */
import { stat } from 'node:fs/promises'
import { inspectState } from './stored-state.js'

/** Bytes to answer with: `text`, then the file from byte `from` on. */
export interface ServedState {
  readonly text: string
  readonly path?: string
  readonly from: number
  readonly sizeBytes: number
  readonly serial: number
}

/** Serial 0: with no state at all a lost acknowledgement would let two POSTs share serial 1. */
export function emptyState(lineage: string): ServedState {
  const text = `${JSON.stringify({ version: 4, serial: 0, lineage, outputs: {}, resources: [], check_results: null })}\n`
  return { text, from: 0, sizeBytes: Buffer.byteLength(text), serial: 0 }
}

/** A file as it is. */
export async function fileState(path: string, serial: number): Promise<ServedState> {
  return { text: '', path, from: 0, sizeBytes: (await stat(path)).size, serial }
}

/**
 * The base state. Where it names no lineage or serial, ours are put in front (terraform would make up a lineage); should they
 * come later in the text than we looked, terraform takes those: the last one counts.
 */
export async function baseState(path: string, lineage: string, defaultSerial = 0): Promise<ServedState> {
  const { head, text } = await inspectState(path)
  const serial = head.serial ?? defaultSerial
  const whole = await fileState(path, serial)
  const brace = text.indexOf('{')
  const missing = [
    ...(head.serial === undefined ? [`"serial":${serial},`] : []),
    ...(head.lineage === undefined || head.lineage === '' ? [`"lineage":${JSON.stringify(lineage)},`] : []),
  ].join('')
  if (missing === '' || brace === -1) return whole
  const inserted = `{${missing}`
  const from = Buffer.byteLength(text.slice(0, brace + 1))
  return { ...whole, text: inserted, from, sizeBytes: whole.sizeBytes - from + Buffer.byteLength(inserted) }
}
