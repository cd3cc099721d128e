/** Runs the command that the arguments name; the exit code is the process's. */
import { runProgram } from '@iac-agent/runtime'
import { serverProgram } from './cli/program.js'

process.exitCode = await runProgram(serverProgram(), process.argv)
