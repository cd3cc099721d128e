/** `plan -out=FILE`: compares the state with the script, and writes the changes and what `show -json` says of them. */
import { writeFileSync } from 'node:fs'
import { Backend, type State } from './backend.js'
import { addressOf, type Change, changesTo, countOf, instancesOf } from './change.js'
import { terraformVersion } from './events.js'
import { printLines } from './filler.js'
import { plain } from './printer.js'
import type { Run } from './run.js'

/** The first line of a plan file; the second is the document of `show -json`. */
export interface FakePlan {
  serial: number
  lineage: string
  changes: Change[]
}

export async function plan(run: Run): Promise<number> {
  const { argv, script, printer, interrupts } = run
  const state = await new Backend(process.env).get()
  await printLines(run, plain, 0, script.planLines ?? script.lines)
  if (interrupts.isStopping) {
    printer.print(plain('\nPlanning failed. Terraform encountered an error while generating this plan.\n'))
    printer.print(plain('\nError: execution halted\n'))
    return 1
  }
  if (script.fail === 'plan') {
    printer.print(plain('\nError: Planning refused\n\nThe fake terraform was told to fail.\n'))
    return 1
  }
  const changes = changesTo(state, wantedInstances(run, state))
  for (const { address, action } of changes) printer.print(plain(`  # ${address} will be ${action}d`))
  printer.print(plain(`\n${summaryOf(changes)}`))
  const file = argv.find((argument) => argument.startsWith('-out='))?.slice('-out='.length)
  if (file !== undefined) {
    const kept: FakePlan = { serial: state.serial, lineage: state.lineage, changes }
    writeFileSync(file, `${JSON.stringify(kept)}\n${JSON.stringify(document(changes))}\n`)
  }
  return 0
}

function wantedInstances({ argv, script }: Run, state: State): string[] {
  if (argv.includes('-destroy')) return []
  if (argv.includes('-refresh-only')) return [...instancesOf(state).keys()]
  return Array.from({ length: script.resources }, (_, index) => addressOf(script.name, index))
}

function summaryOf(changes: readonly Change[]): string {
  if (changes.length === 0) return 'No changes. Your infrastructure matches the configuration.'
  return `Plan: ${countOf(changes, 'create')} to add, 0 to change, ${countOf(changes, 'delete')} to destroy.`
}

function document(changes: readonly Change[]): object {
  return {
    format_version: '1.2',
    terraform_version: terraformVersion,
    applyable: changes.length > 0,
    complete: true,
    errored: false,
    resource_changes: changes.map(({ address, action, id }) => ({
      address,
      mode: 'managed',
      type: 'terraform_data',
      name: /\.([^[]*)/.exec(address)?.[1],
      provider_name: 'terraform.io/builtin/terraform',
      change: {
        actions: [action],
        before: action === 'delete' ? { id } : null,
        after: action === 'create' ? {} : null,
        after_unknown: action === 'create' ? { id: true } : {},
      },
    })),
  }
}
