/** `npm run demo [-- --keep]`: argv to the demo, its outcome to the exit code. */
import { parseArgs } from 'node:util'
import { runDemo } from './demo.js'
import { say } from './say.js'

process.exitCode = await main()

async function main(): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  }
  try {
    const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
    await runDemo({ keep: values.keep, signal: AbortSignal.any([stop.signal, AbortSignal.timeout(170_000)]) })
    return 0
  } catch (error) {
    say.failure(error instanceof Error ? error.message : String(error))
    return 1
  }
}
