/** Lets plans print at a steady pace, each piece of text with the time of its print, by this process's clock. */
import { terraformText } from '../measure/terraform-text.js'
import type { Pipe } from './piped-terraform.js'

const everyMs = 50
const pattern = /printed-at=(\d+\.\d+);/g

/** Between the piece's marker and what a viewer may have got of it so far. */
export const longestMarker = 32

export interface Printing extends AsyncDisposable {
  /** pieces printed so far, of all plans together */
  readonly pieces: number
}

/** @param bytesPerSecond of each plan */
export function startPrinting(pipes: readonly Pipe[], bytesPerSecond: number): Printing {
  const sizeBytes = Math.round((bytesPerSecond * everyMs) / 1000)
  const filler = terraformText(64 * 1024).bytes.toString('latin1')
  let pieces = 0
  let next = 0
  const from = performance.now()
  const timer = setInterval(() => {
    // one plan at a time, spread over the interval
    for (const due = ((performance.now() - from) / everyMs) * pipes.length; next < due; next++) {
      const head = `module.watched.aws_instance.web[${next}]: Still creating... [printed-at=${performance.now().toFixed(3)};]\n`
      const at = (next * 997) % (filler.length - sizeBytes)
      pipes[next % pipes.length]?.print(`${head}${filler.slice(at, at + sizeBytes - head.length - 1)}\n`)
      pieces++
    }
  }, 2)
  return {
    get pieces() {
      return pieces
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      for (const pipe of pipes) await pipe[Symbol.asyncDispose]()
    },
  }
}

/** The print times in a text. */
export function printTimes(text: string): number[] {
  return Array.from(text.matchAll(pattern), ([, time]) => Number(time))
}
