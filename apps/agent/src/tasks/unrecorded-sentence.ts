/** What a task says of the resources that its apply created and no state holds. Pure. */
import { first } from '../journal/attempt-facts.js'
import type { Fact } from '../journal/attempt-record.js'

/** Undefined when nothing had to be compared, or the state has it all. */
export function unrecordedSentence(facts: readonly Fact[]): string | undefined {
  const listed = first(facts, 'unrecordedListed')
  if (listed === undefined) return undefined
  const { created, mayExist = 0 } = listed
  if (created === undefined) return 'Whether its state has all it created could not be found out.'
  if (created + mayExist === 0) return undefined
  const where = `see GET /api/v1/tasks/${first(facts, 'offered')?.taskId}/unrecorded-resources.`
  const certain = `${counted(created)} created but ${created === 1 ? 'is' : 'are'} not in the state`
  const possible = `${counted(mayExist)} being created and may exist without being in the state`
  return `${[...(created > 0 ? [certain] : []), ...(mayExist > 0 ? [possible] : [])].join('; ')}: ${where}`
}

function counted(count: number): string {
  return count === 1 ? '1 resource was' : `${count} resources were`
}
