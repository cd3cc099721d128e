/** What an operator may set on a workspace, checked and in the form of its row. */
import { ApiError, reservedPattern, type WorkspaceUpdate } from '@iac-agent/protocol'
import type { NewWorkspace } from '../../store/workspace-rows.js'

export type SettingColumns = Partial<
  Pick<
    NewWorkspace,
    | 'terraform_version'
    | 'engine'
    | 'auto_apply'
    | 'tf_code'
    | 'provider_config'
    | 'system_variables'
    | 'working_directory'
    | 'labels'
    | 'allow_unsaved_plan'
    | 'accept_empty_state'
  >
>

/** Columns for the given settings alone. @throws ApiError `invalid_request` naming the field */
export function settingColumns(settings: Omit<WorkspaceUpdate, 'name' | 'pool_id'>): SettingColumns {
  const { terraform_version, engine, auto_apply, allow_unsaved_plan, accept_empty_state } = settings
  return {
    ...given({ terraform_version, engine, auto_apply, allow_unsaved_plan, accept_empty_state }),
    ...documentColumn('tf_code', settings.tf_code),
    ...documentColumn('provider_config', settings.provider_config),
    ...(settings.labels === undefined ? {} : { labels: JSON.stringify(settings.labels) }),
    ...(settings.system_variables === undefined ? {} : { system_variables: environmentOf(settings.system_variables) }),
    ...(settings.working_directory === undefined
      ? {}
      : { working_directory: directoryOf(settings.working_directory ?? '') }),
  }
}

/** Names the agent sets itself must not come from a workspace. @throws ApiError `invalid_request` */
export function refuseReserved(name: string, field: string): void {
  const pattern = reservedPattern(name)
  if (pattern === undefined) return
  const message = `${name} is reserved for the agent (${pattern}) and cannot be set by a workspace`
  throw new ApiError('invalid_request', message, { field, name, reserved: pattern })
}

/** No process can be given such a variable. @throws ApiError `invalid_request` */
export function refuseNul(value: string, field: string): void {
  if (!value.includes('\0')) return
  throw new ApiError('invalid_request', 'an environment variable cannot hold a NUL character', { field })
}

function given<T extends object>(values: T): Partial<{ [K in keyof T]: Exclude<T[K], undefined> }> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<{ [K in keyof T]: Exclude<T[K], undefined> }>
}

function documentColumn<K extends string>(name: K, document: unknown): { [P in K]?: string | null } {
  if (document === undefined) return {}
  return { [name]: document === null ? null : JSON.stringify(document) } as { [P in K]?: string | null }
}

function environmentOf(variables: Record<string, string>): string {
  for (const name of Object.keys(variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new ApiError('invalid_request', `${name} is not the name of an environment variable`, {
        field: '/system_variables',
      })
    refuseReserved(name, '/system_variables')
    refuseNul(variables[name] ?? '', '/system_variables')
  }
  return JSON.stringify(variables)
}

function directoryOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || path.includes('\0') || path.includes('\\') || parts.includes('..'))
    throw new ApiError('invalid_request', 'working_directory must be a relative path inside the uploaded tree', {
      field: '/working_directory',
    })
  return parts.join('/')
}
