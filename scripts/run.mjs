/** Runs one program with our terminal and passes signals on; resolves to its exit code (128 + number for a signal). */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
    // A terminal's Ctrl-C reaches the child too; a signal sent to us alone must be passed on.
    const onInterrupt = () => undefined
    const onTerminate = () => child.kill('SIGTERM')
    process.on('SIGINT', onInterrupt)
    process.on('SIGTERM', onTerminate)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
      resolve(code ?? 128 + constants.signals[signal])
    })
  })
}

/** Like `run`, with the output kept instead of shown: `{ code, output }`. */
export function capture(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const pieces = []
    child.stdout.on('data', (piece) => pieces.push(piece))
    child.stderr.on('data', (piece) => pieces.push(piece))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: Buffer.concat(pieces).toString() }))
  })
}
