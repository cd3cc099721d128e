/** The environment of terraform and its children: an allow-list, not the agent's own, so that its credentials reach nobody. */
import { reservedPattern } from '@iac-agent/protocol'

type Variables = Readonly<Record<string, string>>

export interface EnvironmentSources {
  /** The agent's own environment, of which only what is listed passes. */
  readonly host: Readonly<Record<string, string | undefined>>
  /** What ops let pass besides: names, and globs such as `AWS_*`. */
  readonly passEnv: readonly string[]
  /** From the platform (`system_variables`). */
  readonly system: Variables
  /** The workspace's own environment variables: these win over `system`. */
  readonly workspace: Variables
  /** The agent's values: set last, over everything. */
  readonly own: Variables
}

const always = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'LANG',
  'LC_*',
  'TZ',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
]

/** The whole environment of a terraform command. Reserved names pass from nowhere but `own`. */
export function terraformEnvironment(sources: EnvironmentSources): Record<string, string> {
  const { host, passEnv, system, workspace, own } = sources
  const passes = globs([...always, ...passEnv])
  const result: Record<string, string> = {}
  const add = (variables: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(variables)) {
      if (value !== undefined && isUsable(name)) result[name] = value
    }
  }
  add(Object.fromEntries(Object.entries(host).filter(([name]) => passes(name))))
  add(system)
  add(workspace)
  return { ...result, ...own }
}

/** What the agent sets for every command. `backend`: the loopback state backend's address and credentials. */
export function ownVariables(options: { cliConfigFile?: string; backend?: Variables }): Record<string, string> {
  return {
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    ...(options.cliConfigFile === undefined ? {} : { TF_CLI_CONFIG_FILE: options.cliConfigFile }),
    ...options.backend,
  }
}

function isUsable(name: string): boolean {
  return name !== '' && !/[=\0]/.test(name) && reservedPattern(name) === undefined
}

function globs(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns)
  const wild = patterns.filter((pattern) => pattern.includes('*')).map(toRegExp)
  return (name) => exact.has(name) || wild.some((pattern) => pattern.test(name))
}

function toRegExp(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
