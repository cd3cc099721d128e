/** What an answer tells a browser to beware of: helmet's headers. They are the same for all, so helmet is asked once and not per request. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet from 'helmet'

/** Names in lower case. @param isTls then browsers are to come back by https alone */
export function securityHeaders(isTls: boolean): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  const answer: Pick<ServerResponse, 'setHeader' | 'removeHeader'> = {
    setHeader(name, value) {
      headers[name.toLowerCase()] = String(value)
      return this as ServerResponse
    },
    removeHeader: () => undefined,
  }
  const ask = helmet({ contentSecurityPolicy: false, strictTransportSecurity: isTls })
  ask({} as IncomingMessage, answer as ServerResponse, (err?: unknown) => {
    if (err !== undefined) throw err
  })
  return headers
}
