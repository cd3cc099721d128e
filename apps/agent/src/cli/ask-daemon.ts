/** Asks the running daemon of a data directory over its local socket. */
import { request } from 'node:http'
import { CommandError, ExitCode } from '@iac-agent/runtime'
import { dataLayout } from '../journal/layout.js'

/** The daemon's JSON answer. @throws CommandError 1 when no daemon answers there */
export async function askDaemon(dataDir: string, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const { socket } = dataLayout(dataDir)
  try {
    return JSON.parse(await call(socket, method, path))
  } catch (cause) {
    throw new CommandError(`no iac-agent answers in ${dataDir} (${(cause as Error).message})`, ExitCode.fault, {
      cause,
    })
  }
}

function call(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        text += part
      })
      answer.on('error', reject)
      answer.on('end', () => resolve(text))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
