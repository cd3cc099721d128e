/** Leaps gain little beyond this. Bytes. */
const longestWindow = 64

/**
 * Finds many byte patterns at once in linear time (Aho-Corasick). Patterns are long and share little, so a node's first child is the
 * next node (14 bytes a node); only the few that branch have a table. What lies between them is leapt over by the shortest pattern's
 * length (Wu-Manber): most text is looked at in a few of its bytes.
 */
export class PatternMatcher {
  /** Longest pattern, bytes: a bound on what a reader must hold back. */
  readonly longest: number
  /** First byte's node for each byte, 0 for none. */
  readonly #root = new Int32Array(256)
  /** 1 for each two bytes (high, low) that begin a pattern. */
  readonly #begins = new Uint8Array(65_536)
  /** Bytes seen at once: the shortest pattern, at most what a leap can be. */
  readonly #window: number
  /** For the last two bytes (high, low) of a window: how many bytes further a pattern can begin at the earliest. */
  readonly #leap = new Uint8Array(65_536)
  /** 1 + the byte that leads to node + 1; 0 for a leaf. */
  readonly #firstByte: Int16Array
  readonly #branches = new Map<number, Map<number, number>>()
  readonly #fallback: Int32Array
  /** Length of the longest pattern that ends at a node, 0 for none. */
  readonly #matchLength: Int32Array
  readonly #depth: Int32Array
  #size = 1

  constructor(patterns: readonly Uint8Array[]) {
    const bound = patterns.reduce((sum, pattern) => sum + pattern.length, 1)
    this.longest = patterns.reduce((most, pattern) => Math.max(most, pattern.length), 0)
    this.#firstByte = new Int16Array(bound)
    this.#fallback = new Int32Array(bound)
    this.#matchLength = new Int32Array(bound)
    this.#depth = new Int32Array(bound)
    const some = patterns.filter((pattern) => pattern.length > 0)
    this.#window = some.reduce((least, pattern) => Math.min(least, pattern.length), longestWindow)
    this.#leap.fill(Math.max(1, this.#window - 1))
    for (const pattern of some) this.#insert(pattern)
    this.#link()
  }

  /** The node reached from `node` by `byte`; 0 is the root, where nothing is begun. */
  step(node: number, byte: number): number {
    let at = node
    while (at !== 0) {
      const next = this.#child(at, byte)
      if (next !== 0) return next
      at = this.#fallback[at] as number
    }
    return this.#root[byte] as number
  }

  /** Index of the first byte at or after `from` that may begin a pattern; `bytes.length` when none does. */
  skip(bytes: Uint8Array, from: number): number {
    const begins = this.#begins
    const last = bytes.length - 1
    let at = this.#leapFrom(bytes, from)
    while (at < last && begins[((bytes[at] as number) << 8) | (bytes[at + 1] as number)] === 0) at++
    return at === last && this.#root[bytes[at] as number] === 0 ? bytes.length : at
  }

  /** As `skip`, but ends where a whole window no longer fits. */
  #leapFrom(bytes: Uint8Array, from: number): number {
    const [begins, leap, window] = [this.#begins, this.#leap, this.#window]
    const end = bytes.length - window
    let at = from
    if (window < 2) return at
    while (at <= end) {
      const far = leap[((bytes[at + window - 2] as number) << 8) | (bytes[at + window - 1] as number)] as number
      if (far === 0 && begins[((bytes[at] as number) << 8) | (bytes[at + 1] as number)] !== 0) return at
      at += far || 1
    }
    return at
  }

  /** Length of the longest pattern that ends at `node`; 0 for none. */
  matchLength(node: number): number {
    return this.#matchLength[node] as number
  }

  /** How many of the last bytes may still become a match. */
  depth(node: number): number {
    return this.#depth[node] as number
  }

  #child(node: number, byte: number): number {
    if (this.#firstByte[node] === byte + 1) return node + 1
    return this.#branches.get(node)?.get(byte) ?? 0
  }

  #insert(pattern: Uint8Array): void {
    const [high = 0, low] = pattern
    this.#begins.fill(1, (high << 8) | (low ?? 0), ((high << 8) | (low ?? 255)) + 1)
    for (let end = 1; end < this.#window; end++) {
      const pair = ((pattern[end - 1] as number) << 8) | (pattern[end] as number)
      this.#leap[pair] = Math.min(this.#leap[pair] as number, this.#window - 1 - end)
    }
    let node = 0
    for (const byte of pattern)
      node = (node === 0 ? this.#root[byte] : this.#child(node, byte)) || this.#add(node, byte)
    this.#matchLength[node] = pattern.length
  }

  #add(parent: number, byte: number): number {
    const node = this.#size++
    this.#depth[node] = (this.#depth[parent] as number) + 1
    if (parent === 0) this.#root[byte] = node
    else if (node === parent + 1) this.#firstByte[parent] = byte + 1
    else {
      const branch = this.#branches.get(parent) ?? new Map<number, number>()
      this.#branches.set(parent, branch.set(byte, node))
    }
    return node
  }

  /** Gives each node its longest proper suffix that begins a pattern, shallow nodes first. */
  #link(): void {
    const queue = new Int32Array(this.#size)
    let end = 0
    for (const node of this.#root) if (node !== 0) queue[end++] = node
    for (let head = 0; head < end; head++) {
      const node = queue[head] as number
      const fallback = this.#fallback[node] as number
      if (this.#matchLength[node] === 0) this.#matchLength[node] = this.#matchLength[fallback] as number
      for (const [byte, child] of this.#childrenOf(node)) {
        this.#fallback[child] = this.step(fallback, byte)
        queue[end++] = child
      }
    }
  }

  *#childrenOf(node: number): Iterable<[number, number]> {
    const first = this.#firstByte[node] as number
    if (first > 0) yield [first - 1, node + 1]
    yield* this.#branches.get(node) ?? []
  }
}
