/** Turns `apply -json` back into the lines a person knows. */
import { parseExact } from './exact-json.js'
import { renderDiagnostic } from './render-diagnostic.js'
import { renderValue } from './render-value.js'
import { parseEvent, type TerraformEvent } from './terraform-event.js'

/** Events terraform does not print to people: the plan has shown them, or others say as much. */
const silent = new Set(['planned_change', 'resource_drift', 'version', 'provision_complete', 'provision_errored'])

const messageMember = /"@message":("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*")/u
const longestMessage = 64 * 1024

/**
 * The text of one line of output (without its newline), itself without a last newline.
 * @returns undefined when the line is no event and passes as it is; '' when there is nothing to show
 */
export function renderJsonLine(line: string): string | undefined {
  const event = parseEvent(line)
  return event === undefined ? undefined : renderEvent(event, line)
}

/**
 * The text of an event too long to be kept, from its beginning: its message alone. The rest may be a whole state, which terraform
 * prints when nobody else takes it.
 * @returns undefined when it is no event
 */
export function renderCutLine(beginning: string): string | undefined {
  if (!beginning.startsWith('{"@level":')) return undefined
  const message = messageMember.exec(beginning.slice(0, longestMessage))?.[1]
  const told = message === undefined ? '' : `${JSON.parse(message)} `
  return `${told}(the rest of this event is too long to be shown)`
}

function renderEvent(event: TerraformEvent, line: string): string {
  if (event.type !== undefined && silent.has(event.type)) return ''
  if (event.diagnostic !== undefined) return renderDiagnostic(event.diagnostic)
  if (event.type === 'provision_progress') return renderProvision(event)
  if (event.type === 'outputs') return renderOutputs(line)
  if (event.type === 'change_summary') return `\n${event['@message']}`
  return event['@message']
}

/** What a provisioner prints, after the resource and the provisioner. */
function renderProvision({ hook, '@message': message }: TerraformEvent): string {
  if (hook?.provisioner === undefined || hook.output === undefined) return message
  return `${hook.resource.addr} (${hook.provisioner}): ${hook.output}`
}

/** From the text itself: numbers beyond JavaScript's precision must be shown as they are. */
function renderOutputs(line: string): string {
  const { outputs } = parseExact(line) as { outputs: Record<string, Output> }
  const lines = Object.entries(outputs)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { sensitive, value, type }]) => `${name} = ${sensitive ? '<sensitive>' : renderValue(value, type)}`)
  return lines.length === 0 ? '' : ['', 'Outputs:', '', ...lines].join('\n')
}

interface Output {
  readonly sensitive: boolean
  readonly type?: unknown
  readonly value?: unknown
}
