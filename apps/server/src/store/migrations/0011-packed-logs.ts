/** Log chunks may be stored as they came. */
import type { Migration } from './migration.js'

export const packedLogs: Migration = {
  version: 11,
  name: 'packed_logs',
  // 0 and 1 take no room of their own in a row, so that a column behind the bytes is read without walking through them.
  statements: ({ int }) => [`ALTER TABLE task_logs ADD COLUMN is_packed ${int} NOT NULL DEFAULT 0`],
}
