/** How the tests reach a server: settings by hand, no environment. */
import type { CredentialSource } from '../../src/server-api/credentials.js'
import { createNetwork, type NetworkSettings } from '../../src/server-api/network.js'
import { ServerRequest, type ServerRequestOptions } from '../../src/server-api/request.js'

/** A key pair that stays as it is. */
export function fixedCredentials(key: { app_key: string; app_secret: string }): CredentialSource {
  return {
    current: () => ({ appKey: key.app_key, appSecret: key.app_secret }),
    reread: () => Promise.resolve(false),
  }
}

/** A request type for `server`; dispose closes its connections. */
export function connect(
  server: { url: string; key: { app_key: string; app_secret: string } },
  options: Partial<ServerRequestOptions> & { settings?: NetworkSettings } = {},
): ServerRequest & AsyncDisposable {
  const network = createNetwork(options.settings ?? {})
  const request = new ServerRequest({
    serverUrl: new URL(server.url),
    network,
    credentials: fixedCredentials(server.key),
    agentId: () => 'agent-1',
    ...options,
  })
  return Object.assign(request, { [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() })
}
