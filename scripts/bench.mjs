/** `pnpm bench` */
import { runBuilt } from './built-program.mjs'

process.exitCode = await runBuilt('bench/dist/bench.js')
