/** `pnpm check` */
import { runChecks } from './checks.mjs'

const failed = await runChecks()
console.log(failed.length === 0 ? 'check: all ok' : `check: failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
