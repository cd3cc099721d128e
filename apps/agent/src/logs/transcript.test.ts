import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRedaction } from './redactor.js'
import { longestEventBytes, type RenderLine, Transcript } from './transcript.js'

const redaction = compileRedaction(['hunter22', 'two\nlines of it'])

const render: RenderLine = (line) => {
  if (!(line.startsWith('{"@level":') && line.endsWith('}'))) return undefined
  const event = JSON.parse(line) as { '@message'?: string }
  return event['@message'] ?? ''
}

function transcribe(parts: Buffer[]): string {
  const transcript = new Transcript(redaction, render)
  return Buffer.concat([...parts.map((part) => Buffer.from(transcript.push(part))), transcript.end()]).toString()
}

const event = (message?: string) =>
  `{"@level":"info"${message === undefined ? '' : `,"@message":${JSON.stringify(message)}`}}\n`

describe('the transcript', () => {
  it('renders events, drops silent ones, and passes other lines as they are', () => {
    const raw = `Initializing...\n${event('a: Creating...')}${event()}{ not an event }\nno newline: hunter22`
    expect(transcribe([Buffer.from(raw)])).toBe(
      'Initializing...\na: Creating...\n{ not an event }\nno newline: [redacted]',
    )
  })

  it('hides a secret that JSON escaped in the raw output', () => {
    expect(transcribe([Buffer.from(event('x = two\nlines of it'))])).toBe('x = [redacted]\n')
  })

  it('is the same however the raw bytes are cut, and wherever another process goes on', () => {
    const line = fc.oneof(
      fc.constantFrom(
        event('pw hunter22'),
        event(),
        event('two\nlines of it'),
        'plain hunter22\n',
        '{\n',
        '\n',
        'two\n',
        'lines of it\n',
      ),
    )
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 10 })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.boolean(), cuts, (lines, isTorn, where) => {
        const raw = Buffer.from(lines.join('')).subarray(0, isTorn ? -3 : undefined)
        const whole = transcribe([raw])
        const text: Buffer[] = []
        let transcript = new Transcript(redaction, render)
        for (const end of [...where.map((each) => Math.floor(each * raw.length)), raw.length].sort((a, b) => a - b)) {
          text.push(
            Buffer.from(
              transcript.push(raw.subarray(transcript.nextRawOffset, Math.max(end, transcript.nextRawOffset))),
            ),
          )
          transcript = new Transcript(redaction, render, JSON.parse(JSON.stringify(transcript.position)))
        }
        text.push(Buffer.from(transcript.push(raw.subarray(transcript.nextRawOffset))), transcript.end())
        expect(Buffer.concat(text).toString()).toBe(whole)
      }),
      { numRuns: 300 },
    )
  })

  it('tells the renderer the raw offset of each line', () => {
    const at: number[] = []
    const transcript = new Transcript(redaction, (_, offset) => {
      at.push(offset)
      return ''
    })
    transcript.push(Buffer.from('ab\n{}\nc\n{"x'))
    transcript.push(Buffer.from('"}\n'))
    expect(at).toEqual([3, 8])
  })

  describe('of a line that is too long to be kept', () => {
    const inParts = (raw: Buffer, size: number) =>
      Array.from({ length: Math.ceil(raw.length / size) }, (_, i) => raw.subarray(i * size, (i + 1) * size))
    const long = Buffer.from(`{"@level":"info","@message":"dump","state":"${'x'.repeat(longestEventBytes)}"}\nnext\n`)

    it.each([50_000, 4096, long.length])('passes it as it is when it is no event, cut into parts of %i', (size) => {
      const raw = Buffer.from(`{ ${'y'.repeat(longestEventBytes)}\nnext\n`)
      expect(transcribe(inParts(raw, size))).toBe(raw.toString())
    })

    it.each([50_000, 4096, long.length])(
      'tells what its beginning says, and drops the rest, in parts of %i',
      (size) => {
        const asked: boolean[] = []
        const transcript = new Transcript(redaction, (line, _, isCut) => {
          asked.push(isCut)
          return line.length === longestEventBytes ? 'dump' : undefined
        })
        const text = inParts(long, size).map((part) => Buffer.from(transcript.push(part)))
        expect(Buffer.concat([...text, transcript.end()]).toString()).toBe('dump\nnext\n')
        expect(asked).toEqual([true])
      },
    )

    it('goes on dropping it in another process', () => {
      const cut = longestEventBytes + 20
      const first = new Transcript(redaction, () => 'dump')
      const text = Buffer.from(first.push(long.subarray(0, cut))).toString()
      const second = new Transcript(redaction, () => 'dump', JSON.parse(JSON.stringify(first.position)))
      const rest = second.push(long.subarray(second.nextRawOffset)).toString()
      expect(text + rest + second.end().toString()).toBe('dump\nnext\n')
    })
  })
})
