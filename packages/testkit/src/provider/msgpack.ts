/** The part of MessagePack that terraform's values use, with its one extension: a value that is not known yet. */

/** What terraform sends for "known after apply". */
export const unknown = Symbol('unknown')

/** A terraform value of the types our schema has. */
export type Value = null | boolean | number | string | typeof unknown | { [key: string]: Value }

/** Bytes of one value. Numbers go as doubles, which terraform accepts for every number. */
export function encode(value: Value): Buffer {
  if (value === null) return Buffer.from([0xc0])
  if (value === unknown) return Buffer.from([0xd4, 0, 0])
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2])
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9, 0xcb)
    bytes.writeDoubleBE(value, 1)
    return bytes
  }
  if (typeof value === 'string') return encodeString(value)
  const entries = Object.entries(value)
  const head = Buffer.from([0xde, entries.length >> 8, entries.length & 0xff])
  return Buffer.concat([head, ...entries.flatMap(([key, item]) => [encodeString(key), encode(item)])])
}

/** The value of bytes that terraform sent; throws on a type our schema cannot hold. */
export function decode(bytes: Buffer): Value {
  return new Decoder(bytes).next()
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(5, 0xdb)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

class Decoder {
  #at = 0
  constructor(readonly bytes: Buffer) {}

  next(): Value {
    const tag = this.#number(1)
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.#map(tag & 0x0f)
    if (tag >= 0xa0 && tag < 0xc0) return this.#text(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc7:
        return this.#extension(this.#number(1))
      case 0xca:
        return this.#take(4).readFloatBE()
      case 0xcb:
        return this.#take(8).readDoubleBE()
      case 0xcc:
        return this.#number(1)
      case 0xcd:
        return this.#number(2)
      case 0xce:
        return this.#number(4)
      case 0xcf:
        return Number(this.#take(8).readBigUInt64BE())
      case 0xd0:
        return this.#take(1).readInt8()
      case 0xd1:
        return this.#take(2).readInt16BE()
      case 0xd2:
        return this.#take(4).readInt32BE()
      case 0xd3:
        return Number(this.#take(8).readBigInt64BE())
      case 0xd4:
        return this.#extension(1)
      case 0xd9:
        return this.#text(this.#number(1))
      case 0xda:
        return this.#text(this.#number(2))
      case 0xdb:
        return this.#text(this.#number(4))
      case 0xde:
        return this.#map(this.#number(2))
      default:
        throw new Error(`no MessagePack type we know: 0x${tag.toString(16)} at byte ${this.#at - 1}`)
    }
  }

  #take(size: number): Buffer {
    const end = this.#at + size
    if (end > this.bytes.length) throw new Error(`MessagePack ends at byte ${this.bytes.length}, ${end} wanted`)
    const part = this.bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }

  #number(size: 1 | 2 | 4): number {
    return this.#take(size).readUIntBE(0, size)
  }

  #text(size: number): string {
    return this.#take(size).toString()
  }

  /** The only extensions terraform sends are unknown values, with or without a refinement of what they may become. */
  #extension(size: number): Value {
    this.#take(size + 1)
    return unknown
  }

  #map(size: number): Value {
    const entries: [string, Value][] = []
    for (let i = 0; i < size; i++) {
      const key = this.next()
      if (typeof key !== 'string') throw new Error('a MessagePack map has a key that is no string')
      entries.push([key, this.next()])
    }
    return Object.fromEntries(entries)
  }
}
