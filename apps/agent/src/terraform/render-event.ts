/** Turns `apply -json` back into the lines a person knows. */
import { parseExact, stringifyExact } from './exact-json.js'
import { renderDiagnostic } from './render-diagnostic.js'
import { parseEvent, type TerraformEvent } from './terraform-event.js'

/** Events whose message terraform does not print to people: the plan has shown them. */
const silent = new Set(['planned_change', 'resource_drift', 'version'])

/**
 * The text of one line of output (without its newline), itself without a last newline.
 * @returns undefined when the line is no event and passes as it is; '' when there is nothing to show
 */
export function renderJsonLine(line: string): string | undefined {
  const event = parseEvent(line)
  return event === undefined ? undefined : renderEvent(event, line)
}

function renderEvent(event: TerraformEvent, line: string): string {
  if (event.type !== undefined && silent.has(event.type)) return ''
  if (event.diagnostic !== undefined) return renderDiagnostic(event.diagnostic)
  if (event.type === 'outputs') return renderOutputs(line)
  if (event.type === 'change_summary') return `\n${event['@message']}`
  return event['@message']
}

/** From the text itself: numbers beyond JavaScript's precision must be shown as they are. */
function renderOutputs(line: string): string {
  const { outputs } = parseExact(line) as { outputs: Record<string, { sensitive: boolean; value?: unknown }> }
  const lines = Object.entries(outputs).map(([name, { sensitive, value }]) =>
    sensitive ? `${name} = <sensitive>` : `${name} = ${stringifyExact(value, 2)}`,
  )
  return lines.length === 0 ? '' : ['', 'Outputs:', '', ...lines].join('\n')
}
