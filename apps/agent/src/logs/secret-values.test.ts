import { describe, expect, it } from 'vitest'
import { secretValues } from './secret-values.js'

const hcl = (value: string) => secretValues([{ value, sensitive: true, hcl: true }])

describe('the values to hide', () => {
  it('are those of sensitive variables only', () => {
    const variables = [
      { value: 'open', sensitive: false, hcl: false },
      { value: 'shut', sensitive: true, hcl: false },
      { value: '', sensitive: true, hcl: false },
    ]
    expect(secretValues(variables)).toEqual(['shut'])
  })

  it('include each literal of an HCL value, but not the keys of a map', () => {
    const value = '{ user = "admin", "passphrase" = "s3\\"cret\\n", codes = ["aaaa", 12345678] }'
    expect(hcl(value)).toEqual([value, 'admin', 's3"cret\n', 'aaaa', '12345678'])
  })

  it('include the body of a heredoc', () => {
    expect(hcl('<<EOT\nline one\nline two\nEOT')).toContain('line one\nline two')
  })
})
