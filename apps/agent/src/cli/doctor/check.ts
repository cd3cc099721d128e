/** One question doctor asks, and its answer. */

const checkNames = ['dns', 'tcp', 'proxy', 'tls', 'credentials', 'upgrade', 'clock', 'disk', 'terraform'] as const
export type CheckName = (typeof checkNames)[number]

export interface CheckResult {
  name: CheckName
  /** `skipped`: it does not apply here, or what it builds on has failed. */
  result: 'ok' | 'failed' | 'skipped'
  /** What was seen, in words; for a failure also what to do. */
  detail: string
}

export const ok = (name: CheckName, detail: string): CheckResult => ({ name, result: 'ok', detail })
export const failed = (name: CheckName, detail: string): CheckResult => ({ name, result: 'failed', detail })
export const skipped = (name: CheckName, detail: string): CheckResult => ({ name, result: 'skipped', detail })

/** The sentence of an error, with what lies under it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error && error.cause.message !== '' ? `: ${error.cause.message}` : ''
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return `${error.message || error.name}${cause === `: ${error.message}` ? '' : cause}${code}`.replace(/\s+/g, ' ')
}
