/** iac-agent: argv to command to exit code. */
import { runProgram } from '@iac-agent/runtime'
import { buildProgram } from './cli/program.js'

process.exitCode = await runProgram(buildProgram(), process.argv)
