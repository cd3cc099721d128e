/** What applies created and no state holds. */
import type { Migration } from './migration.js'

export const unrecorded: Migration = {
  version: 7,
  name: 'unrecorded',
  statements: ({ int }) => [
    `CREATE TABLE unrecorded_resources (
      task_id ${int} PRIMARY KEY REFERENCES workspace_tasks (id) ON DELETE CASCADE, attempt ${int} NOT NULL, created ${int} NOT NULL,
      may_exist ${int} NOT NULL, updated_at ${int} NOT NULL, items TEXT NOT NULL)`,
  ],
}
