/** Environment names that belong to the agent: refused (400) as workspace variables, dropped from what the host passes. */

const reserved = [
  'TF_HTTP_*',
  'TF_CLI_ARGS*',
  'TF_WORKSPACE',
  'TF_DATA_DIR',
  'TF_LOG*',
  'TF_INPUT',
  'TF_IN_AUTOMATION',
  'TF_CLI_CONFIG_FILE',
  'TF_PLUGIN_CACHE_DIR',
  'LD_*',
  'IAC_*',
]

/** The reserved pattern that `name` falls under, or undefined. */
export function reservedPattern(name: string): string | undefined {
  return reserved.find((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern))
}
