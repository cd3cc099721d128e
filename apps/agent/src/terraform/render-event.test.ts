import { describe, expect, it } from 'vitest'
import { renderCutLine, renderJsonLine } from './render-event.js'

const line = (fields: Record<string, unknown>) =>
  JSON.stringify({
    '@level': 'info',
    '@message': 'm',
    '@module': 'terraform.ui',
    '@timestamp': '2026-01-01T00:00:00Z',
    ...fields,
  })

describe('a line of apply -json', () => {
  it('is shown by its message', () => {
    expect(renderJsonLine(line({ '@message': 'terraform_data.a: Creating...', type: 'apply_start' }))).toBe(
      'terraform_data.a: Creating...',
    )
  })

  it('is left out when the plan has shown it already', () => {
    expect(renderJsonLine(line({ type: 'planned_change' }))).toBe('')
  })

  it.each(['', 'panic: runtime error', '{"@level":"info","@mess', '{"other":1}'])(
    'passes as it is when it is %j',
    (text) => {
      expect(renderJsonLine(text)).toBeUndefined()
    },
  )

  it('is an error with its place, its code and its values', () => {
    const diagnostic = {
      severity: 'error',
      summary: 'Invalid index',
      detail: 'The given key\nis wrong.\n',
      address: 'terraform_data.a',
      range: { filename: 'main.tf', start: { line: 8, column: 3, byte: 1 }, end: { line: 8, column: 4, byte: 2 } },
      snippet: {
        context: 'resource "terraform_data" "a"',
        code: '  input = var.x[7]',
        start_line: 8,
        values: [{ traversal: 'var.x', statement: 'is tuple with 2 elements' }],
      },
    }
    expect(renderJsonLine(line({ '@level': 'error', diagnostic, type: 'diagnostic' }))).toBe(
      `
Error: Invalid index

  with terraform_data.a,
  on main.tf line 8, in resource "terraform_data" "a":
   8:   input = var.x[7]
    ├────────────────
    │ var.x is tuple with 2 elements

The given key
is wrong.`,
    )
  })

  it('is a warning without more than a summary', () => {
    const diagnostic = { severity: 'warning', summary: 'Deprecated', detail: '' }
    expect(renderJsonLine(line({ diagnostic, type: 'diagnostic' }))).toBe('\nWarning: Deprecated')
  })

  it('lists outputs, large numbers exact, sensitive ones hidden', () => {
    const text = line({
      type: 'outputs',
      outputs: {
        big: { sensitive: false, value: 'BIG' },
        secret: { sensitive: true },
        name: { sensitive: false, value: 'x' },
      },
    }).replace('"BIG"', '12345678901234567890')
    expect(renderJsonLine(text)).toBe('\nOutputs:\n\nbig = 12345678901234567890\nname = "x"\nsecret = <sensitive>')
  })

  it('lists outputs by name, in terraform syntax', () => {
    const outputs = {
      zone: { sensitive: false, type: ['map', 'string'], value: { b: 'x', a: 'y' } },
      all: { sensitive: false, type: ['tuple', ['number', 'string']], value: [1, 'two\nlines'] },
    }
    expect(renderJsonLine(line({ type: 'outputs', outputs }))).toBe(
      '\nOutputs:\n\nall = [\n  1,\n  <<-EOT\n  two\n  lines\n  EOT,\n]\nzone = tomap({\n  "a" = "y"\n  "b" = "x"\n})',
    )
  })

  it('is what a provisioner prints, the way terraform shows it', () => {
    const hook = { resource: { addr: 'terraform_data.a' }, provisioner: 'local-exec', output: 'step 1' }
    const message = 'terraform_data.a: (local-exec): step 1'
    expect(renderJsonLine(line({ '@message': message, hook, type: 'provision_progress' }))).toBe(
      'terraform_data.a (local-exec): step 1',
    )
    expect(renderJsonLine(line({ hook, type: 'provision_complete' }))).toBe('')
  })

  it('shows its message alone when it is too long to be kept whole', () => {
    const text = line({ '@message': 'Emergency "state" dump', type: 'log', state: 'hush'.repeat(100) })
    expect(renderCutLine(text.slice(0, 300))).toBe(
      'Emergency "state" dump (the rest of this event is too long to be shown)',
    )
    expect(renderCutLine('{ "other": ')).toBeUndefined()
    expect(renderCutLine('{"@level":"info","@message":"\\q"')).toBe('(the rest of this event is too long to be shown)')
  })

  it('shows nothing of a state that terraform prints as its last resort', () => {
    const text = line({ '@message': 'Emergency state dump', type: 'log', state: { resources: ['hush'] } })
    expect(renderJsonLine(text)).toBe('Emergency state dump')
  })
})
