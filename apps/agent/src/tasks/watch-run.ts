/** Looks at a running command from time to time: how much memory it holds, and whether it is within its limits. */
import { pause } from '@iac-agent/runtime'
import { commandOf, has, last, ofRun } from '../journal/attempt-facts.js'
import { crashPoint } from '../journal/crash-points.js'
import { ageMs } from '../terraform/process-age.js'
import { measureMemory } from '../terraform/run-memory.js'
import type { SupervisedRun } from '../terraform/supervised-run.js'
import type { Attempt } from './attempt.js'
import { excessOf, type RunLimits, type RunReading } from './run-limits.js'
import { sizeOf } from './size-of.js'

/** The first looks are close together, since most commands are short. */
const firstEveryMs = 50
const everyMs = 1000
/** With a memory limit: terraform has to be interrupted before the kernel kills it. */
const limitedEveryMs = 200
/** Looking costs at most the 50th part of a CPU: on a host of thousands of processes it is done less often. */
const costFactor = 50
/** A peak goes into the journal when it has grown by this much, and so long after the one before. */
const journalGrowth = 1.1
const journalEveryMs = 5000

export interface WatchedRun {
  run: string
  supervised: SupervisedRun
  limits: RunLimits
}

export class RunWatch {
  /** Most memory the run was seen with, by this process and those before it; 0 when nobody looked. Bytes. */
  peakRssBytes: number
  #journaledBytes: number
  #journaledAt = performance.now()
  #costMs = 0
  #output = { bytes: 0, grewAt: performance.now() }

  constructor(
    private readonly attempt: Attempt,
    private readonly watched: WatchedRun,
  ) {
    this.peakRssBytes = last(ofRun(attempt.facts, watched.run), 'memoryPeaked')?.peakRssBytes ?? 0
    this.#journaledBytes = this.peakRssBytes
  }

  /** Until the command has ended. What cannot be read or recorded now is tried again at the next look: the run goes on. */
  async run(signal: AbortSignal): Promise<void> {
    const { leaving, log } = this.attempt.parts
    for (let pauseMs = firstEveryMs; !signal.aborted; ) {
      await pause(pauseMs, signal)
      try {
        if (!signal.aborted) await this.#look()
        else if (leaving.aborted) await this.#lastLook()
      } catch (err) {
        log.warn({ err, run: this.watched.run }, 'run could not be looked at')
      }
      const mostMs = this.watched.limits.memoryBytes === undefined ? everyMs : limitedEveryMs
      pauseMs = Math.max(Math.min(pauseMs * 2, mostMs), this.#costMs * costFactor)
    }
  }

  async #look(): Promise<void> {
    const { run, supervised, limits } = this.watched
    const { claim, pid, exitCode } = await supervised.facts()
    if (claim === undefined || pid === undefined || exitCode !== undefined) return
    const rssBytes = this.#measure(claim.pid)
    if (performance.now() - this.#journaledAt > journalEveryMs) await this.#journalPeak(journalGrowth)
    const reading = { rssBytes, ageMs: await ageMs(pid), silentMs: await this.#silentMs() }
    await this.#judge(run, limits, reading)
  }

  /** This process leaves: what it knows of the peak is for the next one. */
  async #lastLook(): Promise<void> {
    const { claim, exitCode } = await this.watched.supervised.facts()
    if (claim !== undefined && exitCode === undefined) this.#measure(claim.pid)
    await this.#journalPeak(1)
  }

  /** Answers the memory now, bytes. */
  #measure(supervisorPid: number): number {
    const beganAt = performance.now()
    const { rssBytes, highestBytes } = measureMemory(this.watched.supervised.runDir, supervisorPid)
    this.#costMs = performance.now() - beganAt
    this.peakRssBytes = Math.max(this.peakRssBytes, rssBytes, highestBytes)
    return rssBytes
  }

  /** Once a run, and not beside a cancel: that stops it already. */
  async #judge(run: string, limits: RunLimits, reading: RunReading): Promise<void> {
    const { journal, log } = this.attempt.parts
    if (has(journal.facts, 'cancelRequested') || has(ofRun(journal.facts, run), 'limitExceeded')) return
    const excess = excessOf(limits, reading, commandOf(run))
    if (excess === undefined) return
    await journal.append({ fact: 'limitExceeded', run, ...excess })
    crashPoint('limit.recorded')
    log.warn({ run, code: excess.code, ...reading }, 'run is beyond a limit')
  }

  async #silentMs(): Promise<number> {
    const bytes = await sizeOf(this.attempt.parts.layout.output)
    if (bytes !== this.#output.bytes) this.#output = { bytes, grewAt: performance.now() }
    return performance.now() - this.#output.grewAt
  }

  async #journalPeak(growth: number): Promise<void> {
    const { peakRssBytes } = this
    if (peakRssBytes <= this.#journaledBytes * growth) return
    this.#journaledAt = performance.now()
    await this.attempt.parts.journal.append({ fact: 'memoryPeaked', run: this.watched.run, peakRssBytes })
    this.#journaledBytes = peakRssBytes
  }
}
