/** The instants around each durable step at which a test can kill the server or an admin command (`IAC_CRASH_POINT=<name>`). */
import { defineCrashPoints } from '@iac-agent/runtime'

/** Every transaction by name: `<name>.committing` is just before its COMMIT, `<name>.committed` after it and before the answer. */
const transactionNames = [
  'disconnect_agents',
  'store_blob_part',
  'discard_upload',
  'save_plan_json',
  'report_resources',
  'save_plan',
  'begin_store_epoch',
  'register_agent',
  'deregister_agent',
  'admit_agent',
  'agent_connected',
  'agent_disconnected',
  'heartbeat',
  'drain_agent',
  'say_hello',
  'create_token',
  'create_first_token',
  'delete_token',
  'create_pool',
  'delete_pool',
  'create_key',
  'revoke_key',
  'create_task',
  'discard_task',
  'read_task_data',
  'note_end_hint',
  'end_unreported',
  'cancel_task',
  'confirm_task',
  'declare_lost',
  'report_status',
  'upload_configuration',
  'create_workspace',
  'change_workspace',
  'delete_workspace',
  'create_resource',
  'change_resource',
  'delete_resource',
  'lock_workspace',
  'unlock_workspace',
  'create_variable',
  'change_variable',
  'delete_variable',
  'start_apply',
  'accept_offer',
  'reject_offer',
  'offer_attempt',
  'withdraw_offer',
  'end_lease',
  'import_state',
  'promote_state',
  'save_state',
  'save_chunk',
  'append_live',
  'open_seal',
  'seal_log',
  'renew_leases',
  'extend_leases',
] as const
export type TransactionName = (typeof transactionNames)[number]

/** Steps on files: of a copy (backup, or before a migration), a migration, a restore, and the first start. */
const fileSteps = [
  'copy.written',
  'copy.synced',
  'copy.renamed',
  'migrate.committing',
  'migrate.committed',
  'restore.staged',
  'restore.prepared',
  'restore.wal_folded',
  'restore.wal_set_aside',
  'restore.kept',
  'restore.replaced',
  'first_token.written',
] as const

/** SIGKILLs this process when the named point is the wanted one; free otherwise. */
export const crashPoint = defineCrashPoints<TransactionPoint | (typeof fileSteps)[number]>([
  ...transactionNames.flatMap((name): TransactionPoint[] => [`${name}.committing`, `${name}.committed`]),
  ...fileSteps,
])

type TransactionPoint = `${TransactionName}.${'committing' | 'committed'}`
