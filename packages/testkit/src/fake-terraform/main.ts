/** The fake terraform, in the directory of a configuration with a script. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { apply } from './apply.js'
import { BackendError } from './backend.js'
import { errorEvent } from './events.js'
import { init } from './init.js'
import { Interrupts } from './interrupts.js'
import { Oracle } from './oracle.js'
import type { FakeCommand } from './oracle-record.js'
import { plan } from './plan.js'
import { Printer, plain } from './printer.js'
import type { Run } from './run.js'
import { type FakeScript, readScript } from './script.js'

const commands: Record<FakeCommand, (run: Run) => Promise<number>> = { init, plan, apply }

void main(process.argv.slice(2))

async function main([command = '', ...argv]: string[]): Promise<void> {
  if (!isKnown(command)) throw new Error(`the fake terraform has no command ${command}`)
  const script = scriptHere()
  const isStubborn = script.stubborn === command
  const oracle = new Oracle(process.env.FAKE_TERRAFORM_ORACLE ?? '/dev/null', argv)
  oracle.note({ kind: 'begin', workspace: basename(process.cwd()), command })
  const printer = new Printer(oracle, script.batch)
  const end = (code: number) => {
    printer.flush()
    oracle.note({ kind: 'end', code })
    process.exit(code)
  }
  const interrupts = new Interrupts(oracle, printer, command === 'apply', isStubborn ? undefined : end)
  if (isStubborn) hang(printer)
  else end(await commands[command]({ script, argv, oracle, printer, interrupts }).catch(told(printer, command)))
}

/** A state that cannot be had and a full disk are terraform's errors, anything else is the fake's own. */
function told(printer: Printer, command: FakeCommand): (error: unknown) => number {
  return (error) => {
    if (!(error instanceof BackendError || isDiskFull(error))) throw error
    printer.print(command === 'apply' ? errorEvent(error.message) : plain(`\nError: ${error.message}\n`))
    return 1
  }
}

function isDiskFull(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC'
}

function isKnown(word: string): word is FakeCommand {
  return word in commands
}

function scriptHere(): FakeScript {
  const files = readdirSync('.').filter((name) => name.endsWith('.tf'))
  const script = files.map((name) => readScript(readFileSync(name, 'utf8'))).find((found) => found !== undefined)
  if (script === undefined) throw new Error('no file here has a line "# fake: {…}"')
  return script
}

/** Until it is killed: the timer keeps the process alive. */
function hang(printer: Printer): void {
  printer.print(plain(`hangs ${process.pid}`))
  printer.flush()
  setInterval(() => undefined, 60_000)
}
