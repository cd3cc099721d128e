/** The limits operators set to each terraform command; pure: a look at the run decides. */
import { assertNever } from '@iac-agent/protocol'
import type { Command } from '../journal/attempt-facts.js'
import type { LimitCode } from '../journal/attempt-record.js'

/** What is absent is not limited. */
export interface RunLimits {
  /** Resident memory of the command and all it started. */
  memoryBytes?: number
  /** Without a byte of output. */
  silenceMs?: number
  /** From the start of the command. */
  runMs?: number
}

/** A run at one instant. */
export interface RunReading {
  rssBytes: number
  ageMs: number
  /** Since its output last grew, as far as this process has seen. */
  silentMs: number
}

export interface Excess {
  code: LimitCode
  message: string
}

/** The first limit a run is beyond; undefined while it is within all. `show` prints nothing, so it is never too silent. */
export function excessOf(limits: RunLimits, reading: RunReading, command: Command): Excess | undefined {
  const { memoryBytes = Infinity, silenceMs = Infinity, runMs = Infinity } = limits
  if (reading.rssBytes > memoryBytes) return excess('memory_limit', command, reading.rssBytes, memoryBytes)
  if (reading.ageMs > runMs) return excess('run_timeout', command, reading.ageMs, runMs)
  if (reading.silentMs > silenceMs && command !== 'show')
    return excess('silence_timeout', command, reading.silentMs, silenceMs)
  return undefined
}

function excess(code: LimitCode, command: Command, seen: number, limit: number): Excess {
  return { code, message: `terraform ${command} ${sentenceOf(code, seen, limit)}` }
}

function sentenceOf(code: LimitCode, seen: number, limit: number): string {
  switch (code) {
    case 'memory_limit':
      return `held ${mebibytes(seen)} of memory, more than the ${mebibytes(limit)} of --task-memory-limit, and was interrupted.`
    case 'silence_timeout':
      return `printed nothing for ${seconds(seen)}, longer than the ${seconds(limit)} of --silence-timeout, and was interrupted.`
    case 'run_timeout':
      return `ran for ${seconds(seen)}, longer than the ${seconds(limit)} of --run-timeout, and was interrupted.`
    default:
      return assertNever(code)
  }
}

/** `612 MiB`; rounded to the tenth below 10. */
export function mebibytes(bytes: number): string {
  const size = bytes / 1024 / 1024
  return `${size < 10 ? Math.round(size * 10) / 10 : Math.round(size)} MiB`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
