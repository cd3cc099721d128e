import { expect, it } from 'vitest'
import type { Diagnostic } from '../journal/attempt-record.js'
import { PrintedErrors } from './printed-errors.js'

function errorsIn(text: string): Diagnostic[] {
  const printed = new PrintedErrors()
  const errors = text.split('\n').map((line) => printed.take(line))
  return [...errors, printed.end()].filter((error) => error !== undefined)
}

const bare = `
Error: No value for required variable

  on main.tf line 1:
   1: variable "region" {}

The root module input variable "region" is not set, and has no default value.
Use a -var or -var-file command line argument to provide a value for this
variable.
`

it('reads an error printed without a frame, with its place', () => {
  expect(errorsIn(bare)).toEqual([
    {
      summary: 'No value for required variable',
      detail:
        'The root module input variable "region" is not set, and has no default value.\n' +
        'Use a -var or -var-file command line argument to provide a value for this\nvariable.',
      file: 'main.tf',
      line: 1,
    },
  ])
})

it('reads the same error in a frame', () => {
  const framed = `╷\n${bare
    .trim()
    .split('\n')
    .map((line) => `│ ${line}`.trimEnd())
    .join('\n')}\n╵\n`
  expect(errorsIn(`something before\n${framed}something after`)).toEqual(errorsIn(bare))
})

it('puts a wrapped summary together and tells several errors apart', () => {
  const text = `Initializing the backend...

Error: Terraform encountered problems during initialisation, including problems
with the configuration, described below.

The Terraform configuration must be valid before initialization.


Error: Invalid expression

  on bad.tf line 2, in resource "terraform_data" "a":
   2:   input =
   3: }

Expected the start of an expression.
`
  expect(errorsIn(text)).toEqual([
    {
      summary:
        'Terraform encountered problems during initialisation, including problems with the configuration, described below.',
      detail: 'The Terraform configuration must be valid before initialization.',
    },
    { summary: 'Invalid expression', detail: 'Expected the start of an expression.', file: 'bad.tf', line: 2 },
  ])
})

it('passes over warnings and text that only mentions an error', () => {
  expect(errorsIn('╷\n│ Warning: Deprecated\n│ \n│ Error-free.\n╵\nNo Error: here')).toEqual([])
})
