/** By what an agent proves that it is the same one. */
import type { Migration } from './migration.js'

export const agentSecret: Migration = {
  version: 8,
  name: 'agent-secret',
  statements: () => ['ALTER TABLE agents ADD COLUMN secret_hash TEXT'],
}
