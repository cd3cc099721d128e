import { fits, limits, UnrecordedReport } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import type { Creation } from '../terraform/creations.js'
import { instanceOf, noId, reportOf, unrecordedCreations } from './unrecorded-resources.js'

const creation = (name: string, facts: Partial<Creation> = {}): Creation => ({
  address: `a.${name}`,
  module: '',
  type: 'a',
  name,
  key: null,
  end: 'complete',
  id: `id-${name}`,
  ...facts,
})
const begun = (name: string) => creation(name, { end: undefined, id: undefined })
const holding = (...ids: [string, ...string[]][]) =>
  new Map(ids.map(([name, ...of]) => [instanceOf(creation(name)), of] as const))

describe('what the newest state does not hold', () => {
  const of = (creations: Creation[], newest = holding(), base = holding(), isStateFinal = false) =>
    unrecordedCreations({ creations, newest, base, isStateFinal }).map(({ name }) => name)

  it('is told by instance and id, the keys of for_each and count apart', () => {
    const keyed = creation('one', { key: '1' })
    expect(of([creation('one'), creation('two'), keyed], holding(['one', 'id-one'], ['two', 'another']))).toEqual([
      'two',
      'one',
    ])
    const module = creation('one', { module: 'module.m' })
    expect(of([module], holding(['one', 'id-one']))).toEqual(['one'])
  })

  it('is nothing of a replacement whose state came, with the old object still to be destroyed', () => {
    expect(of([creation('one')], holding(['one', 'id-old', 'id-one']), holding(['one', 'id-old']))).toEqual([])
  })

  it.each([
    ['is in the state', holding(['one', 'id-new']), holding(), []],
    ['is not in the state', holding(), holding(), ['one']],
    ['has only its predecessor in the state', holding(['one', 'id-old']), holding(['one', 'id-old']), ['one']],
    ['took the place of its predecessor', holding(['one', 'id-new']), holding(['one', 'id-old']), []],
  ])('of a creation whose id is unknown, when it %s', (_, newest, base, expected) => {
    expect(of([begun('one')], newest, base)).toEqual(expected)
    expect(of([creation('one', { id: undefined })], newest, base)).toEqual(expected)
  })

  it('takes an error for the last word only when terraform ended by itself', () => {
    const broken = creation('one', { end: 'errored', id: undefined })
    expect(of([broken], holding(), holding(), true)).toEqual([])
    expect(of([broken], holding(), holding(), false)).toEqual(['one'])
    expect(of([broken], holding(['one', 'id-tainted']), holding(), false)).toEqual([])
  })

  it('trusts the state with replaced objects that have no id when terraform ended by itself', () => {
    const nameless = creation('one', { id: undefined })
    expect(of([nameless], holding(['one', noId]), holding(['one', noId]), true)).toEqual([])
    expect(of([nameless], holding(['one', noId]), holding(['one', noId]), false)).toEqual(['one'])
  })
})

describe('the report', () => {
  const of = (creations: Creation[], replaced: string[] = [], redact = (text: string) => text) =>
    reportOf(creations, new Set(replaced), redact)

  it('counts by certainty and says why an object cannot simply be imported', () => {
    const report = of(
      [creation('sure'), begun('maybe'), creation('broken', { end: 'errored', id: undefined }), creation('replaced')],
      [instanceOf(creation('replaced'))],
    )
    expect(fits(UnrecordedReport, report)).toBe(true)
    expect(report).toMatchObject({
      created: 2,
      may_exist: 2,
      items: [
        { address: 'a.sure', id: 'id-sure', certainty: 'created', note: null },
        { id: 'id-replaced', certainty: 'created', note: expect.stringContaining('removed block') },
        { address: 'a.maybe', id: null, certainty: 'may_exist', note: expect.stringContaining('had begun') },
        { address: 'a.broken', id: null, certainty: 'may_exist', note: expect.stringContaining('half-way') },
      ],
    })
  })

  it('names no id that holds a secret, nor a secret in an address', () => {
    const redact = (text: string) => text.replaceAll('hunter2', '[redacted]')
    const secretKey = creation('k', { address: 'a.k["hunter2"]' })
    const report = of([creation('db', { id: 'db/hunter2' }), secretKey], [], redact)
    expect(report.items).toMatchObject([
      { id: null, note: expect.stringContaining('sensitive') },
      { address: 'a.k["[redacted]"]', id: null, note: expect.stringContaining('sensitive') },
    ])
  })

  it('is bounded in items and in bytes, and counts the rest', () => {
    const many = Array.from({ length: limits.unrecordedResources + 5 }, (_, n) => creation(`n${n}`))
    expect(of(many)).toMatchObject({ created: many.length, may_exist: 0 })
    expect(of(many).items).toHaveLength(limits.unrecordedResources)
    const large = many.map((one) => ({ ...one, id: '\u{20ac}'.repeat(limits.unrecordedTextLength) }))
    const report = of(large)
    expect(report.items.length).toBeGreaterThan(10)
    expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(limits.jsonBodyBytes)
    const longer = creation('l', { id: 'x'.repeat(limits.unrecordedTextLength + 1) })
    expect(of([longer]).items).toMatchObject([{ id: null, note: expect.stringContaining('too long') }])
  })
})
