/** The receiver's rule for bytes at an offset (after tus and the architecture's log section): the stored length is the truth. */

export type ChunkVerdict =
  /** append the chunk's bytes from `skip` on; the first `skip` bytes overlap and must equal what is stored */
  | { kind: 'append'; skip: number; nextOffset: number }
  /** nothing new; all of its bytes overlap and must equal what is stored */
  | { kind: 'duplicate'; nextOffset: number }
  /** starts beyond the stored length: 409 `offset_gap` with `next_offset` */
  | { kind: 'gap'; nextOffset: number }

/** Judges a chunk of `size` bytes at `offset` against a stream of `length` stored bytes. */
export function judgeChunk(length: number, offset: number, size: number): ChunkVerdict {
  if (offset > length) return { kind: 'gap', nextOffset: length }
  const end = offset + size
  if (end <= length) return { kind: 'duplicate', nextOffset: length }
  return { kind: 'append', skip: length - offset, nextOffset: end }
}
