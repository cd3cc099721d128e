/** What the commands of an attempt used of their host. */
import type { Migration } from './migration.js'

export const usage: Migration = {
  version: 10,
  name: 'usage',
  // Of the attempt, whose row is short: a column added to the tasks would lie behind their outputs.
  statements: ({ int }) => [
    `ALTER TABLE task_attempts ADD COLUMN peak_rss_bytes ${int}`,
    `ALTER TABLE task_attempts ADD COLUMN cpu_ms ${int}`,
  ],
}
