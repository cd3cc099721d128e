/** `npm run demo` */
import { runBuilt } from './built-program.mjs'

process.exitCode = await runBuilt('demo/dist/main.js')
