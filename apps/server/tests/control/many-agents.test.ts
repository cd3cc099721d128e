import { expect, it } from 'vitest'
import { type AgentSocket, socketWorld } from './socket-world.js'

const count = 100

it('gives a hundred agents that connect at once one task each, and no task to two of them', async () => {
  await using world = await socketWorld()
  await using agents = await connectMany(world.connect)
  for (const [index, agent] of agents.sockets.entries()) {
    const payload = { agent_id: `agent-${index}`, status: 'idle', plan_running: 0, plan_limit: 1, current_tasks: [] }
    agent.send({ type: 'heartbeat', payload })
  }
  const queued = await Promise.all(
    agents.sockets.map(() => world.operate('POST', '/workspaces/name:prod/tasks', { task_type: 'plan' })),
  )
  const runs = await Promise.all(agents.sockets.map((agent) => agent.next('run_task')))

  const byNumber = (a: unknown, b: unknown) => Number(a) - Number(b)
  expect(runs.map(({ task_id }) => task_id).sort(byNumber)).toEqual(queued.map(({ body }) => body.id).sort(byNumber))
  const online = await world.store.read(({ db }) =>
    db.selectFrom('agents').select('id').where('status', '!=', 'offline').execute(),
  )
  expect(online).toHaveLength(count)
})

async function connectMany(connect: (agentId: string) => Promise<AgentSocket>) {
  const sockets = await Promise.all(Array.from({ length: count }, (_, index) => connect(`agent-${index}`)))
  return {
    sockets,
    async [Symbol.asyncDispose]() {
      await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()))
    },
  }
}
