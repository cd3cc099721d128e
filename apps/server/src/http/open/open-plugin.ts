/** What needs no credentials: health, version, the contract and its pages. */

import { openEndpoints, protocolVersion } from '@iac-agent/protocol'
import type { Clock } from '@iac-agent/runtime'
import type { FastifyInstance } from 'fastify'
import { rfc3339 } from '../../domain/rfc3339.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'
import { docsPlugin } from './docs-plugin.js'

export interface OpenDeps {
  store: Store
  clock: Clock
  version: string
}

export async function openPlugin(app: FastifyInstance, deps: OpenDeps): Promise<void> {
  route(app, openEndpoints.livez, () => ({ status: 'ok' as const }))
  route(app, openEndpoints.readyz, async () => {
    await deps.store.read((reader) => reader.db.selectFrom('meta').select('key').limit(1).execute())
    return { status: 'ok' as const }
  })
  route(app, openEndpoints.version, () => ({
    version: deps.version,
    protocol_version: protocolVersion,
    time: rfc3339(deps.clock.now()),
  }))
  await app.register(docsPlugin, { version: deps.version })
}
