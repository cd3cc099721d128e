import { eventually } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { serverCrashPointNames } from './crash-point-names.js'
import { abandonment, attempts, departure, impatient, silentEnd, sleep } from './server-points/agent-scenarios.js'
import { job, watchedJob } from './server-points/job-scenario.js'
import { type MortalServer, startMortalServer } from './server-points/mortal-server.js'
import { access, workspace } from './server-points/operator-scenarios.js'

/** What is done while the server dies, and the transactions it passes. */
interface Scenario {
  run(server: MortalServer): Promise<unknown>
  args?: readonly string[]
  passes: readonly string[]
  /** runs that share the points out among them; 1 unless given */
  runs?: number
}

const scenarios: Record<string, Scenario> = {
  // first, since it waits for 30 s
  'silent end': { run: silentEnd, passes: ['note_end_hint', 'end_unreported'] },
  'watched job': { run: watchedJob, runs: 2, passes: ['append_live'] },
  access: {
    run: access,
    passes: ['create_pool', 'create_key', 'revoke_key', 'create_token', 'delete_token', 'delete_pool'],
  },
  workspace: {
    run: workspace,
    runs: 3,
    passes: [
      ...['disconnect_agents', 'keep_lease_key', 'renew_leases'], // by each start
      ...['create_workspace', 'change_workspace', 'lock_workspace', 'unlock_workspace', 'delete_workspace'],
      ...['create_variable', 'change_variable', 'delete_variable'],
      ...['create_resource', 'change_resource', 'delete_resource'],
      ...['upload_configuration', 'store_blob_part', 'discard_upload', 'import_state', 'promote_state'],
      ...['create_task', 'cancel_task'],
    ],
  },
  job: {
    run: job,
    runs: 6, // few of one run while the agent connects: an idle one soon takes its time to try again
    passes: [
      ...[
        'register_agent',
        'admit_agent',
        'agent_connected',
        'say_hello',
        'heartbeat',
        'offer_attempt',
        'accept_offer',
      ],
      ...['read_task_data', 'save_chunk', 'open_seal', 'seal_log', 'save_plan', 'save_plan_json'],
      ...['report_status', 'confirm_task', 'start_apply', 'report_resources', 'save_state'],
    ],
  },
  departure: { run: departure, runs: 2, passes: ['agent_disconnected', 'drain_agent', 'deregister_agent'] },
  attempts: { run: attempts, runs: 2, args: impatient, passes: ['reject_offer', 'withdraw_offer', 'end_lease'] },
  abandonment: { run: abandonment, args: impatient, passes: ['discard_task', 'save_unrecorded', 'declare_lost'] },
  sleep: { run: sleep, runs: 2, passes: ['extend_leases'] },
}

/** Passed by commands, not by a serving server. */
const inFileCommands = ['begin_store_epoch', 'create_first_token']

/** Each run dies at some of its scenario's points, one after the other; what it comes to is what it comes to without. */
const cases = Object.entries(scenarios).flatMap(([name, { passes, runs = 1 }]) =>
  Array.from({ length: runs }, (_, run) => {
    const points = passes.flatMap((passed) => [`${passed}.committing`, `${passed}.committed`])
    return [name, points.filter((_, index) => index % runs === run)] as const
  }),
)

it('passes every transaction of the server in some scenario', async () => {
  const { transactions } = await serverCrashPointNames()
  const passed = [...Object.values(scenarios).flatMap(({ passes }) => passes), ...inFileCommands]
  expect(passed.sort()).toEqual(transactions.sort())
})

describe.concurrent('a server that is killed and started again', () => {
  it.each(cases)('in the scenario %s at %j leaves everything as if nothing had been', async (name, points) => {
    const [outcome, expected] = await Promise.all([outcomeOf(name, points), undisturbed(name)])
    expect(outcome).toEqual(expected)
  })
})

const known = new Map<string, Promise<unknown>>()

function undisturbed(name: string): Promise<unknown> {
  const made = known.get(name) ?? outcomeOf(name, [])
  known.set(name, made)
  return made
}

async function outcomeOf(name: string, points: readonly string[]): Promise<unknown> {
  const { run, args = [] } = scenarios[name] as Scenario
  await using server = await startMortalServer(points, { args })
  const outcome = await run(server)
  await eventually('the last death', () => server.deaths.length >= points.length).catch(() => undefined)
  expect(server.deaths.toSorted()).toEqual(points.toSorted())
  return outcome
}
