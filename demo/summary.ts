/** The demo's last words. */
import type { OperatorClient } from '@iac-agent/client'
import type { Task } from '@iac-agent/protocol'
import type { RunningAgent, RunningServer } from '@iac-agent/testkit'
import { say } from './say.js'

/** Task, agent, durations, state version and resources, all as the server tells them. */
export async function printSummary(client: OperatorClient, task: Task): Promise<void> {
  const params = { id: task.workspace_id }
  const [states, outputs, changes] = await Promise.all([
    client.states.list({ params, query: { limit: 1 } }),
    client.states.outputs({ params }),
    client.tasks.resourceChanges({ params: { id: task.id } }),
  ])
  const [state] = states.items
  if (!state) throw new Error('the server has no state of the workspace')
  say.success(`task ${task.id} is ${task.status}`)
  say.fact('task', `${task.id} (${task.task_type}, confirmed by ${task.confirmed_by})`)
  say.fact('agent', task.agent_id ?? 'none')
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

/** For `--keep`: where everything is, what to try, how to end it. */
export function printNextSteps(server: RunningServer, agent: RunningAgent, home: string): void {
  say.text(`
Server (pid ${server.child.pid}) and agent (pid ${agent.child.pid}) go on; their data and logs are in ${home}. Try:

  export SERVER=${server.url} AUTH="Authorization: Bearer $(cat ${server.operatorTokenFile})"
  curl -s -H "$AUTH" $SERVER/api/v1/tasks                                             # what ran
  curl -s -H "$AUTH" $SERVER/api/v1/workspaces/name:demo/outputs                      # what it left
  curl -s -H "$AUTH" $SERVER/api/v1/agents                                            # who runs it
  curl -s -H "$AUTH" --json '{"task_type": "destroy"}' $SERVER/api/v1/workspaces/name:demo/tasks
  curl -sN -H "$AUTH" "$SERVER/api/v1/tasks/2/logs/stream?phase=plan"                 # watch it
  curl -s -H "$AUTH" -X POST $SERVER/api/v1/tasks/2/confirm
  open ${server.url}/docs                                                   # the whole API

End them with:  kill ${agent.child.pid} ${server.child.pid} && rm -r ${home}`)
}

function secondsBetween(from: string | null, to: string | null): string {
  return from && to ? ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1) : '?'
}
