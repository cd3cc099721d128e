/** How far the agent of an attempt has come with its cancel, and since when. */
import type { Migration } from './migration.js'

export const cancelRungs: Migration = {
  version: 6,
  name: 'cancel-rungs',
  statements: ({ int }) => [
    'ALTER TABLE task_attempts ADD COLUMN cancel_rung TEXT',
    `ALTER TABLE task_attempts ADD COLUMN cancel_rung_at ${int}`,
  ],
}
