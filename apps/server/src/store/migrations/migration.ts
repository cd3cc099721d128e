/** What a migration is, and the words its statements use for types that differ between databases. */

export interface ColumnWords {
  /** primary key that counts up and never uses a number twice */
  readonly serial: string
  /** 64-bit integer */
  readonly int: string
  readonly real: string
  readonly bytes: string
}

export interface Migration {
  /** counts up from 1 without holes */
  readonly version: number
  readonly name: string
  statements(words: ColumnWords): readonly string[]
}
