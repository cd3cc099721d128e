import { describe, expect, it } from 'vitest'
import { readChecksum } from './checksum.js'
import { reservedPattern } from './reserved-variables.js'

describe('reservedPattern', () => {
  it.each([
    ['TF_HTTP_ADDRESS', 'TF_HTTP_*'],
    ['TF_CLI_ARGS', 'TF_CLI_ARGS*'],
    ['TF_CLI_ARGS_plan', 'TF_CLI_ARGS*'],
    ['TF_WORKSPACE', 'TF_WORKSPACE'],
    ['LD_PRELOAD', 'LD_*'],
    ['IAC_AGENT_APP_SECRET', 'IAC_*'],
  ])('names the pattern that %s falls under', (name, pattern) => {
    expect(reservedPattern(name)).toBe(pattern)
  })

  it('leaves other names to the workspace', () => {
    for (const name of ['AWS_REGION', 'TF_VAR_x', 'TF_WORKSPACES', 'PATH'])
      expect(reservedPattern(name)).toBeUndefined()
  })
})

describe('readChecksum', () => {
  const hex = 'a'.repeat(64)
  it('takes hex with and without prefix, in either case, and nothing at all', () => {
    expect(readChecksum(hex)).toBe(hex)
    expect(readChecksum(`sha256:${hex.toUpperCase()}`)).toBe(hex)
    expect(readChecksum('')).toBeNull()
    expect(readChecksum(undefined)).toBeNull()
  })
  it('refuses what is no SHA-256', () => {
    expect(readChecksum('sha256...')).toBeUndefined()
    expect(readChecksum(hex.slice(1))).toBeUndefined()
  })
})
