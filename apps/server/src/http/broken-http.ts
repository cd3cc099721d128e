/** What Node could not parse as HTTP is refused in the form of every other error. */
import type { Socket } from 'node:net'
import type { ErrorBody } from '@iac-agent/protocol'
import { newRequestId } from './request-id.js'

export function answerBrokenHttp(err: NodeJS.ErrnoException, socket: Socket): void {
  if (err.code === 'ECONNRESET' || socket.destroyed) return
  if (!socket.writable) {
    socket.destroy(err)
    return
  }
  const isLarge = err.code === 'HPE_HEADER_OVERFLOW'
  const body: ErrorBody = {
    error: {
      code: isLarge ? 'too_large' : 'invalid_request',
      message: isLarge ? 'the headers are too large' : 'this is not a whole HTTP request',
      details: {},
    },
    request_id: newRequestId(),
  }
  const text = JSON.stringify(body)
  const status = isLarge ? '413 Payload Too Large' : '400 Bad Request'
  const head = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close`
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${text}`)
}
