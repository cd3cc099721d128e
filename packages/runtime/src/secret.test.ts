import { format, inspect } from 'node:util'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { Secret } from './secret.js'

describe('a secret', () => {
  it('prints as [redacted] wherever something prints it', () => {
    const secret = new Secret('hunter2')
    const lines: string[] = []
    pino({}, { write: (line: string) => void lines.push(line) }).info({ secret, deep: { secret } }, 'said')
    const printed = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ secret }),
      format('%s %o', secret, secret),
      ...lines,
    ]
    for (const one of printed) {
      expect(one).toContain('[redacted]')
      expect(one).not.toContain('hunter2')
    }
    expect(secret.reveal()).toBe('hunter2')
  })
})
