/** What the commands of an attempt used of this host, from its facts; pure. */
import { all } from '../journal/attempt-facts.js'
import type { Fact, Used } from '../journal/attempt-record.js'
import { notStartedCode } from '../terraform/run-facts.js'

/** CPU times add up, the highest peak counts. No CPU time when that of one run is not known: it would be too little. */
export function usedBy(facts: readonly Fact[]): Used {
  const runs = all(facts, 'exited').filter(({ code }) => code !== notStartedCode)
  const peaks = runs.map(({ used }) => used?.peakRssBytes).filter((bytes) => bytes !== undefined)
  const times = runs.map(({ used }) => used?.cpuMs).filter((ms) => ms !== undefined)
  return {
    ...(peaks.length === 0 ? {} : { peakRssBytes: Math.max(...peaks) }),
    ...(runs.length === 0 || times.length < runs.length ? {} : { cpuMs: times.reduce((sum, ms) => sum + ms, 0) }),
  }
}
