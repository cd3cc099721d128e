/** Journals of attempts, made by hand. */
import type { Fact, NewFact } from '../../src/journal/attempt-record.js'

const beginMs = Date.parse('2026-01-01T00:00:00Z')

/** The facts of an attempt, one second apart, after its offer. */
export function factsOf(action: 'plan' | 'apply', ...facts: NewFact[]): Fact[] {
  const offered: NewFact = {
    fact: 'offered',
    taskId: 1,
    attempt: 1,
    workspaceId: 'ws-1',
    action,
    leaseToken: 'lease',
    leaseTtlMs: 60_000,
    workRoot: '/work',
  }
  return [offered, ...facts].map((fact, i) => ({ ...fact, at: new Date(beginMs + i * 1000).toISOString() }) as Fact)
}

const ran = (run: string, code = 0): NewFact[] => [
  { fact: 'spawning', run, outputOffset: 0 },
  { fact: 'exited', run, code },
]

/** What lies before the terraform commands. */
export const prepared: NewFact[] = [
  { fact: 'fetched', taskType: 'plan_and_apply', lineage: 'l', hasState: false },
  { fact: 'prepared', rootDirectory: '/srv/ws-1', isBuiltinOnly: true },
  { fact: 'engineFound', engine: 'terraform', version: '1.11.4', program: '/bin/terraform' },
]

/** A plan that was made and read. */
export const planned = (counts = { add: 1, change: 0, destroy: 0 }, hasChanges = true): NewFact[] => [
  ...prepared,
  ...ran('init-1'),
  ...ran('plan-1'),
  ...ran('show-1'),
  { fact: 'planShown', counts, hasChanges },
  { fact: 'planJsonSaved' },
]

/** An apply up to the gate. */
export const restored: NewFact[] = [...prepared, { fact: 'planRestored' }, { fact: 'initSkipped' }]

/** The gate said yes. */
export const granted: NewFact[] = [
  { fact: 'startAsked', startId: 's' },
  { fact: 'startAnswered', granted: true },
]

export { ran }
