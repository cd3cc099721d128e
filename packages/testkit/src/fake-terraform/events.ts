/** The events of `apply -json`, each with what terraform prints to people in its place. */
import { type Change, partsOf } from './change.js'
import type { Printed } from './printer.js'

export const terraformVersion = '1.11.4'

export function versionEvent(): Printed {
  const more = { terraform: terraformVersion, ui: '1.2' }
  return { raw: event('version', `Terraform ${terraformVersion}`, more), text: '' }
}

export function plannedChange({ address, action }: Change): Printed {
  const change = { resource: resource(address), action }
  return { raw: event('planned_change', `${address}: Plan to ${action}`, { change }), text: '' }
}

export function applyStart({ address, action, id }: Change): Printed {
  const doing = action === 'create' ? 'Creating...' : `Destroying... [id=${id}]`
  return shown('apply_start', `${address}: ${doing}`, { hook: hook(address, action, id) })
}

/** `id`: of what was created. */
export function applyComplete({ address, action }: Change, elapsedSeconds: number, id: string | undefined): Printed {
  const done = action === 'create' ? 'Creation' : 'Destruction'
  const tail = id === undefined ? '' : ` [id=${id}]`
  const message = `${address}: ${done} complete after ${elapsedSeconds}s${tail}`
  return shown('apply_complete', message, { hook: { ...hook(address, action, id), elapsed_seconds: elapsedSeconds } })
}

export function applyErrored({ address, action }: Change, elapsedSeconds: number): Printed {
  const doing = action === 'create' ? 'Creation' : 'Destruction'
  const more = { hook: { ...hook(address, action), elapsed_seconds: elapsedSeconds } }
  return shown('apply_errored', `${address}: ${doing} errored after ${elapsedSeconds}s`, more)
}

/** A line that a local-exec of the resource prints. */
export function provisionProgress(address: string, output: string): Printed {
  const more = { hook: { resource: resource(address), provisioner: 'local-exec', output } }
  return shown('provision_progress', `${address}: (local-exec): ${output}`, more, `${address} (local-exec): ${output}`)
}

export function changeSummary(add: number, remove: number): Printed {
  const message = `Apply complete! Resources: ${add} added, 0 changed, ${remove} destroyed.`
  const changes = { add, change: 0, import: 0, remove, operation: 'apply' }
  return shown('change_summary', message, { changes }, `\n${message}`)
}

export function errorEvent(summary: string, detail = '', address?: string): Printed {
  const diagnostic = { severity: 'error', summary, detail, ...(address === undefined ? {} : { address }) }
  const paragraphs = [`Error: ${summary}`, ...(address === undefined ? [] : [`  with ${address}`]), detail]
  const text = paragraphs.filter((paragraph) => paragraph !== '').join('\n\n')
  return {
    raw: event('diagnostic', `Error: ${summary}`, { diagnostic }, 'error'),
    text: `\n${text}\n`,
  }
}

/** What people read is the message itself. */
export function logEvent(message: string): Printed {
  return shown('log', message, {})
}

function shown(type: string, message: string, more: object, text = message): Printed {
  return { raw: event(type, message, more), text: text.endsWith('\n') ? text : `${text}\n` }
}

function event(type: string, message: string, more: object, level = 'info'): string {
  const head = { '@level': level, '@message': message, '@module': 'terraform.ui' }
  return `${JSON.stringify({ ...head, '@timestamp': new Date().toISOString(), ...more, type })}\n`
}

function hook(address: string, action: string, id?: string): object {
  return { resource: resource(address), action, ...(id === undefined ? {} : { id_key: 'id', id_value: id }) }
}

function resource(address: string): object {
  const { name, key } = partsOf(address)
  return {
    addr: address,
    module: '',
    resource: address,
    implied_provider: 'terraform',
    resource_type: 'terraform_data',
    resource_name: name,
    resource_key: key ?? null,
  }
}
