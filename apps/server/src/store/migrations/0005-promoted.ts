/** Which version a promoted state was. */
import type { Migration } from './migration.js'

export const promoted: Migration = {
  version: 5,
  name: 'promoted',
  statements: ({ int }) => [`ALTER TABLE workspace_state_versions ADD COLUMN promoted_from ${int}`],
}
