/** The lines a run prints besides terraform's own: numbered, so that a log without one of them shows which. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Printed } from './printer.js'
import type { Run } from './run.js'

const secretEvery = 10

/** Prints the lines `from` to `to` (not included) of the script, `as` what, until an interrupt. */
export async function printLines(run: Run, as: (line: string) => Printed, from: number, to: number) {
  const { script, printer, interrupts } = run
  const secret = script.secret ? secretVariable() : undefined
  for (let number = from; number < to && !interrupts.isStopping; number++) {
    if (!printer.isHolding) await interrupts.pause(script.linePauseMs)
    const shown = secret !== undefined && number % secretEvery === 0 ? `token=${secret} ` : ''
    const { raw, text } = as(pad(`line ${number} ü ${shown}`, script.lineBytes))
    printer.print({ raw, text: secret === undefined ? text : text.replaceAll(secret, '[redacted]') })
  }
}

/** As the agent hands it over. */
function secretVariable(): string {
  const files = readdirSync('.').filter((name) => name.endsWith('.auto.tfvars.json'))
  for (const file of files) {
    const { secret } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    if (typeof secret === 'string') return secret
  }
  throw new Error('the script asks for a secret, and the terraform variable "secret" is not given')
}

function pad(text: string, bytes: number): string {
  return text + '.'.repeat(Math.max(0, bytes - Buffer.byteLength(text)))
}
