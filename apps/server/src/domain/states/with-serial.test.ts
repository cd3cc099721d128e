import { describe, expect, it } from 'vitest'
import { withSerial } from './with-serial.js'

/** Cut into pieces of `size` bytes on the way in. */
async function under(serial: number, text: string, size = text.length): Promise<string> {
  const bytes = Buffer.from(text)
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const out: Buffer[] = []
  for await (const piece of withSerial(pieces(), serial)) out.push(piece)
  return Buffer.concat(out).toString()
}

describe('a state under another serial', () => {
  it('differs in the digits alone, wherever it is cut', async () => {
    const state = (serial: string) =>
      `{ "version":4,\t"x":{"serial": 9}, "text":"\\"serial\\": 8 größe", "serial" : ${serial} ,\n"big":12345678901234567890,"e":1E400}\n`
    for (let size = 1; size < 40; size++) expect(await under(1_000, state('7'), size)).toBe(state('1000'))
  })

  it('gets its first member when it named none', async () => {
    expect(await under(5, ' {"version":4}')).toBe(' {"serial":5,"version":4}')
    expect(await under(5, '{}')).toBe('{"serial":5}')
  })
})
