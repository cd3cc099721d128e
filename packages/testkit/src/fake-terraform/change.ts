/** What a plan would do to single instances of `terraform_data`, and how they stand in a state. */
import type { State } from './backend.js'

export interface Change {
  address: string
  action: 'create' | 'delete'
  /** Of what is deleted. */
  id?: string
}

export function addressOf(name: string, index: number | undefined): string {
  return `terraform_data.${name}${index === undefined ? '' : `[${index}]`}`
}

/** What `addressOf` put together. */
export function partsOf(address: string): { name: string; key: number | undefined } {
  const [, name = '', key] = /^terraform_data\.([^[]+)(?:\[(\d+)\])?$/.exec(address) ?? []
  return { name, key: key === undefined ? undefined : Number(key) }
}

/** Id by address. */
export function instancesOf(state: State): Map<string, string> {
  const ours = state.resources.filter(({ type }) => type === 'terraform_data')
  return new Map(
    ours.flatMap(({ name, instances }) =>
      instances.map(({ index_key, attributes }) => [addressOf(name, index_key), attributes.id]),
    ),
  )
}

/** What is surplus goes first. */
export function changesTo(state: State, wanted: readonly string[]): Change[] {
  const present = instancesOf(state)
  const surplus = [...present].filter(([address]) => !wanted.includes(address))
  const missing = wanted.filter((address) => !present.has(address))
  return [
    ...surplus.map(([address, id]): Change => ({ address, action: 'delete', id })),
    ...missing.map((address): Change => ({ address, action: 'create' })),
  ]
}

export function countOf(changes: readonly Change[], wanted: Change['action']): number {
  return changes.filter(({ action }) => action === wanted).length
}
