/** `apply -json FILE`: one resource after the other, and the whole state to the backend after each of them. */
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { Backend, BackendError, type State, type StateResource } from './backend.js'
import { addressOf, type Change, countOf, partsOf } from './change.js'
import * as events from './events.js'
import { printLines } from './filler.js'
import type { FakePlan } from './plan.js'
import { plain } from './printer.js'
import type { Run } from './run.js'

export async function apply(run: Run): Promise<number> {
  const { argv, printer, script, interrupts } = run
  const { changes, serial, lineage } = JSON.parse(firstLine(argv.at(-1) ?? '')) as FakePlan
  printer.print(events.versionEvent())
  const backend = new Backend(process.env)
  const state = await backend.get()
  if (state.serial !== serial || state.lineage !== lineage) {
    printer.print(events.errorEvent('Saved plan is stale', 'The state was changed after the plan was created.'))
    return 1
  }
  printer.print(...changes.map(events.plannedChange))
  const done: Change[] = []
  for (const [index, change] of changes.entries()) {
    if (interrupts.isStopping) break
    const startedAt = performance.now()
    const elapsedSeconds = () => Math.round((performance.now() - startedAt) / 1000)
    printer.print(events.applyStart(change))
    await printShare(run, change.address, index, changes.length)
    if (script.fail === 'apply' && index === changes.length - 1) {
      printer.print(events.applyErrored(change, elapsedSeconds()))
      printer.print(events.errorEvent('Creation refused', 'The fake terraform was told to fail.', change.address))
      return 1
    }
    const id = perform(change, state)
    try {
      await save(run, backend, state)
    } catch (cause) {
      return keepErrored(run, state, cause)
    }
    run.oracle.note({ kind: 'complete', address: change.address, ...(id === undefined ? {} : { id }) })
    printer.print(events.applyComplete(change, elapsedSeconds(), id))
    done.push(change)
  }
  if (done.length < changes.length) {
    printer.print(events.errorEvent('execution halted'))
    return 1
  }
  printer.print(events.changeSummary(countOf(done, 'create'), countOf(done, 'delete')))
  return 0
}

/** The lines are spread over the resources; each third is no event, as what a provider says to stderr. */
async function printShare(run: Run, address: string, index: number, of: number): Promise<void> {
  const { lines } = run.script
  let number = 0
  const as = (line: string) => (number++ % 6 > 3 ? plain(line) : events.provisionProgress(address, line))
  await printLines(run, as, Math.floor((lines * index) / of), Math.floor((lines * (index + 1)) / of))
}

/** Changes the state; answers the id of what was created. */
function perform({ address, action }: Change, state: State): string | undefined {
  const { name, key } = partsOf(address)
  const others = state.resources.filter((resource) => resource.name !== name)
  const resource = state.resources.find((one) => one.name === name) ?? newResource(name)
  const rest = resource.instances.filter(({ index_key }) => addressOf(name, index_key) !== address)
  const id = action === 'create' ? randomUUID() : undefined
  const created =
    id === undefined
      ? []
      : [{ ...(key === undefined ? {} : { index_key: key }), ...instance, attributes: attributes(id) }]
  const instances = [...rest, ...created]
  state.resources = instances.length === 0 ? others : [...others, { ...resource, instances }]
  return id
}

const instance = { schema_version: 0, sensitive_attributes: [] }

function attributes(id: string) {
  return { id, input: null, output: null, triggers_replace: null }
}

function newResource(name: string): StateResource {
  const provider = 'provider["terraform.io/builtin/terraform"]'
  return { mode: 'managed', type: 'terraform_data', name, provider, instances: [] }
}

async function save({ oracle, printer }: Run, backend: Backend, state: State): Promise<void> {
  printer.flush()
  state.serial++
  state.terraform_version = events.terraformVersion
  const text = textOf(state)
  await backend.post(text)
  oracle.note({ kind: 'posted', serial: state.serial, sha256: createHash('sha256').update(text).digest('hex') })
}

/** What terraform does with a state that nobody takes. */
function keepErrored({ printer }: Run, state: State, cause: unknown): number {
  if (!(cause instanceof BackendError)) throw cause
  writeFileSync('errored.tfstate', textOf(state), { mode: 0o600 })
  printer.print(events.errorEvent('Failed to save state', cause.message))
  return 1
}

function textOf(state: State): string {
  return `${JSON.stringify(state, null, 2)}\n`
}

function firstLine(file: string): string {
  return readFileSync(file, 'utf8').split('\n', 1)[0] ?? ''
}
