/** The demo's last words. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OperatorClient } from '@iac-agent/client'
import type { Task } from '@iac-agent/protocol'
import type { RunningAgent, RunningServer } from '@iac-agent/testkit'
import { say } from './say.js'

/** Task, agent, durations, state version and resources, all as the server tells them. */
export async function printSummary(client: OperatorClient, task: Task): Promise<void> {
  const params = { id: task.workspace_id }
  const [agent, states, outputs, changes] = await Promise.all([
    client.agents.get({ params: { agent_id: task.agent_id ?? '' } }),
    client.states.list({ params, query: { limit: 1 } }),
    client.states.outputs({ params }),
    client.tasks.resourceChanges({ params: { id: task.id } }),
  ])
  const [state] = states.items
  if (!state) throw new Error('the server has no state of the workspace')
  say.success(`task ${task.id} is ${task.status}`)
  say.fact('task', `${task.id} (${task.task_type}, confirmed by ${task.confirmed_by})`)
  say.fact('agent', `${agent.name} (${agent.id})`)
  say.fact(
    'durations',
    `planned and confirmed in ${secondsBetween(task.created_at, task.confirmed_at)} s, applied in ${secondsBetween(task.confirmed_at, task.completed_at)} s`,
  )
  say.fact('state version', `${state.version} (serial ${state.serial}, ${state.size} bytes)`)
  say.fact('resources', changes.items.length)
  for (const { address, actions, progress } of changes.items) {
    say.text(`    ${actions.join(', ')} ${address}${progress?.id ? ` [id=${progress.id}]` : ''}`)
  }
  for (const [name, { value }] of Object.entries(outputs.outputs)) say.fact(`output ${name}`, JSON.stringify(value))
}

/** For `--keep`: where everything is, what to try, how to end it. The token goes to curl by a file, as it should not be on a command line. */
export async function printNextSteps(server: RunningServer, agent: RunningAgent, home: string): Promise<void> {
  const curlConfig = join(home, 'curlrc')
  await writeFile(curlConfig, `header = "Authorization: Bearer ${server.operatorToken}"\n`, { mode: 0o600 })
  say.text(`
Server (pid ${server.child.pid}) and agent (pid ${agent.child.pid}) go on; their data and logs are in ${home}. Try:

  api() { path=$1; shift; curl -sS -K ${curlConfig} "${server.url}/api/v1$path" "$@"; }
  api /tasks                                              # what ran
  api /workspaces/name:demo/outputs                       # what it left
  api /agents                                             # who runs it
  api /workspaces/name:demo/tasks --json '{"task_type": "destroy"}'
  api '/tasks/2/logs/stream?phase=plan' -N                # watch it plan
  api /tasks/2/confirm -X POST
  api '/tasks/2/logs?phase=apply'

The whole API, to browse: ${server.url}/docs
End them with:  kill ${agent.child.pid} ${server.child.pid} && rm -r ${home}`)
}

function secondsBetween(from: string | null, to: string | null): string {
  return from && to ? ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1) : '?'
}
