import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lastStem } from './module-files.js'

describe('the name that sorts last', () => {
  it('is the plain one when nothing comes after it', () => {
    expect(lastStem('zz', [])).toBe('zz')
    expect(lastStem('zz', ['override.tf', 'a_override.tf.json'])).toBe('zz')
  })

  it('comes after every other override, by bytes', () => {
    const stem = fc.string({ unit: fc.constantFrom('z', 'a', 'Z', '_', '-', '~', 'é', '😀') })
    const names = fc.array(fc.tuple(stem, fc.constantFrom('_override.tf', '_override.tf.json', '_override.tofu')))
    fc.assert(
      fc.property(names, (parts) => {
        const others = parts.map((pair) => pair.join(''))
        const ours = `${lastStem('zz', others)}_override.tf.json`
        for (const other of others) expect(Buffer.compare(Buffer.from(ours), Buffer.from(other))).toBe(1)
      }),
    )
  })
})
