/** `pnpm chaos` */
import { runBuilt } from './built-program.mjs'

process.exitCode = await runBuilt('e2e/dist/chaos.js')
