/** What every command of the fake terraform is given. */
import type { Interrupts } from './interrupts.js'
import type { Oracle } from './oracle.js'
import type { Printer } from './printer.js'
import type { FakeScript } from './script.js'

export interface Run {
  script: FakeScript
  argv: readonly string[]
  oracle: Oracle
  printer: Printer
  interrupts: Interrupts
}
