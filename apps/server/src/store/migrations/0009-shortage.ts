/** What a degraded agent is short of. */
import type { Migration } from './migration.js'

export const shortage: Migration = {
  version: 9,
  name: 'shortage',
  statements: () => ['ALTER TABLE agents ADD COLUMN shortage TEXT'],
}
