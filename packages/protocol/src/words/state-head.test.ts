import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readStateHead } from './state-head.js'

describe('readStateHead', () => {
  it('reads what terraform writes first, from a head cut anywhere in what follows', () => {
    const text = JSON.stringify(
      {
        version: 4,
        terraform_version: '1.11.4',
        serial: 12,
        lineage: 'ab-cd',
        outputs: { a: { value: '}"' } },
        resources: [{ big: 1 }],
      },
      null,
      2,
    )
    const headEnds = text.indexOf('"outputs"')
    for (let cut = headEnds; cut <= text.length; cut++)
      expect(readStateHead(text.slice(0, cut))).toEqual({
        version: 4,
        serial: 12,
        lineage: 'ab-cd',
        terraformVersion: '1.11.4',
      })
  })

  it('finds the members wherever they stand, and only at the top', () => {
    const members = fc.shuffledSubarray(['outputs', 'version', 'serial', 'lineage', 'resources', 'check_results'], {
      minLength: 6,
    })
    fc.assert(
      fc.property(members, fc.nat(), fc.string(), fc.json(), (order, serial, lineage, other) => {
        const values: Record<string, unknown> = {
          version: 4,
          serial,
          lineage,
          outputs: { serial: 99, deep: JSON.parse(other) },
          resources: ['lineage', { version: 1 }],
          check_results: null,
        }
        const text = JSON.stringify(Object.fromEntries(order.map((key) => [key, values[key]])))
        expect(readStateHead(text)).toEqual({ version: 4, serial, lineage })
      }),
    )
  })

  it('answers undefined for what is no JSON object, and an empty head for a state without members', () => {
    expect(readStateHead('')).toBeUndefined()
    expect(readStateHead('<html>')).toBeUndefined()
    expect(readStateHead('[1]')).toBeUndefined()
    expect(readStateHead(' {} ')).toEqual({})
    expect(readStateHead('{"serial":"5","lineage":7}')).toEqual({})
  })
})
