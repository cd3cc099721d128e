import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRedaction, marker, Redactor, redactText } from './redactor.js'
import { formsOf } from './secret-forms.js'

/** The definition, naively: mark each byte of each occurrence, then collapse runs. */
function expected(secrets: string[], text: Buffer): Buffer {
  const isHidden = new Uint8Array(text.length)
  for (const form of secrets.flatMap(formsOf)) {
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) isHidden.fill(1, at, at + form.length)
  }
  const pieces: Buffer[] = []
  for (let at = 0; at < text.length; at++) {
    if (isHidden[at] === 0) pieces.push(text.subarray(at, at + 1))
    else if (at === 0 || isHidden[at - 1] === 0) pieces.push(marker)
  }
  return Buffer.concat(pieces)
}

/** Cuts `bytes` at the given fractions. */
function cut(bytes: Buffer, cuts: number[]): Buffer[] {
  const ends = [...cuts.map((fraction) => Math.floor(fraction * bytes.length)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

// few letters, so that secrets overlap, repeat and share beginnings
const secret = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '\n', '"'), minLength: 3, maxLength: 12 }),
  fc.string({ minLength: 1, maxLength: 20 }),
)
const secrets = fc.array(secret, { minLength: 1, maxLength: 5 })
const noise = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n', '"', '%', '='), maxLength: 12 })
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })

/** Secrets and a text in which their forms stand among noise. */
const scene = secrets.chain((values) => {
  const forms = values.flatMap(formsOf).map((form) => form.toString())
  const piece = forms.length === 0 ? noise : fc.oneof(noise, fc.constantFrom(...forms))
  return fc.record({
    values: fc.constant(values),
    text: fc.array(piece, { maxLength: 12 }).map((all) => Buffer.from(all.join(''))),
  })
})

describe('the redactor', () => {
  it('hides every byte of every form, whatever the cuts', () => {
    fc.assert(
      fc.property(scene, cuts, ({ values, text }, where) => {
        const redactor = new Redactor(compileRedaction(values))
        const out = [...cut(text, where).map((part) => Buffer.from(redactor.push(part))), redactor.end()]
        expect(Buffer.concat(out).toString('latin1')).toBe(expected(values, text).toString('latin1'))
      }),
      { numRuns: 500 },
    )
  })

  it('hides every byte of long secrets too, between which it leaps, whatever the cuts', () => {
    const long = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 24, maxLength: 60 })
    const piece = (value: string) => fc.tuple(fc.nat(60), fc.nat(60)).map(([from, to]) => value.slice(from, from + to))
    const text = (value: string) => fc.array(fc.oneof(noise, piece(value), fc.constant(value)), { maxLength: 12 })
    const secretAndText = long.chain((value) => fc.tuple(fc.constant(value), text(value)))
    fc.assert(
      fc.property(secretAndText, cuts, ([value, pieces], where) => {
        const redactor = new Redactor(compileRedaction([value]))
        const whole = Buffer.from(pieces.join(''))
        const out = [...cut(whole, where).map((part) => Buffer.from(redactor.push(part))), redactor.end()]
        expect(Buffer.concat(out).toString()).toBe(expected([value], whole).toString())
      }),
      { numRuns: 2000 },
    )
  })

  it('hides a long secret that terraform printed in two halves, but for a few bytes at the cut', () => {
    const long = Array.from({ length: 40 }, (_, i) => `part-${i * i}`).join(';')
    const redaction = compileRedaction([long])
    fc.assert(
      fc.property(fc.integer({ min: 31, max: long.length - 31 }), (at) => {
        const text = `x (local-exec): ${long.slice(0, at)}\nx (local-exec): ${long.slice(at)}\n`
        const shown = redactText(redaction, text).replaceAll('x (local-exec): ', '').replaceAll(marker.toString(), '')
        expect(shown.length).toBeLessThanOrEqual(2 + 4 * 7)
      }),
    )
  })

  it('takes a row of blanks or dashes inside a long secret for no secret', () => {
    const long = `${'-'.repeat(40)}${' '.repeat(40)}${'='.repeat(40)}`
    expect(redactText(compileRedaction([long]), `| ${'-'.repeat(39)} |`)).toBe(`| ${'-'.repeat(39)} |`)
  })

  it('goes on from its carry in another process as if nothing had happened', () => {
    fc.assert(
      fc.property(scene, cuts, ({ values, text }, where) => {
        const redaction = compileRedaction(values)
        let redactor = new Redactor(redaction)
        const out: Buffer[] = []
        for (const part of cut(text, where)) {
          out.push(Buffer.from(redactor.push(part)))
          redactor = new Redactor(redaction, JSON.parse(JSON.stringify(redactor.carry)))
        }
        out.push(redactor.end())
        expect(Buffer.concat(out).toString('latin1')).toBe(expected(values, text).toString('latin1'))
      }),
      { numRuns: 300 },
    )
  })

  it('holds back no more than the longest form', () => {
    const redaction = compileRedaction(['aaaaaaaa'])
    const redactor = new Redactor(redaction)
    for (let i = 0; i < 10_000; i++) {
      redactor.push(Buffer.from('aaa'))
      expect(Buffer.from(redactor.carry.held, 'base64').length).toBeLessThanOrEqual(redaction.matcher.longest)
    }
    expect(redactor.end().length).toBe(0)
  })

  it('leaves bytes that are no text unchanged', () => {
    const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0x80])
    expect(new Redactor(compileRedaction(['hunter22'])).push(bytes)).toEqual(bytes)
  })
})

describe('a secret', () => {
  const pem = '-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n'
  const odd = 'p<a>s&s "w\\ö\trd\n+/=?'
  const rows: [string, string, (value: string) => string][] = [
    ['as it is', odd, (value) => value],
    ['in JSON', odd, (value) => JSON.stringify({ value })],
    ["in Go's JSON", odd, () => '"p\\u003ca\\u003es\\u0026s \\"w\\\\ö\\trd\\n+/=?"'],
    ['in JSON inside a JSON string', odd, (value) => JSON.stringify(JSON.stringify({ value }))],
    ['URL-escaped', odd, (value) => `https://x/?q=${encodeURIComponent(value)}&r=1`],
    ['URL-escaped in lower case', odd, (value) => encodeURIComponent(value).toLowerCase()],
    ['as a form value', 'top secret!', () => 'q=top+secret%21'],
    ['in base64', odd, (value) => Buffer.from(value).toString('base64')],
    ['in base64url', 'subjects?_d>>>', (value) => Buffer.from(value).toString('base64url')],
    ['line by line, indented', pem, (value) => value.replace(/^/gm, '      ')],
  ]

  it.each(rows)('is hidden %s', (_, value, show) => {
    const shown = show(value)
    const redacted = redactText(compileRedaction([value]), shown)
    expect(redacted).toContain('[redacted]')
    for (const line of shown.split('\n').filter((each) => each.trim().length >= 8))
      expect(redacted).not.toContain(line.trim())
  })

  it.each([0, 1, 2, 3, 4, 5])('is hidden in base64 of a text that has %i bytes before it', (before) => {
    const value = 'correct-horse-battery'
    const encoded = Buffer.from(`${'x'.repeat(before)}${value}:tail`).toString('base64')
    const redacted = redactText(compileRedaction([value]), encoded)
    const kept = encoded.length - (redacted.length - marker.length)
    expect(kept).toBeGreaterThanOrEqual(Math.floor((value.length * 8) / 6) - 1)
  })

  it('of one or two bytes is not hidden: the log would be', () => {
    expect(redactText(compileRedaction(['1', 'on']), 'add 1 on 11')).toBe('add 1 on 11')
  })
})
