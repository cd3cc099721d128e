/** Runs the command that the arguments name; the exit code is the process's. */
import { runProgram } from '@iac-agent/runtime'
import { serverProgram } from './cli/program.js'

// whatever this program writes is for its own user alone
process.umask(0o077)
process.exitCode = await runProgram(serverProgram(), process.argv)
