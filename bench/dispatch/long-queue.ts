/** What it costs to queue one more task behind many that wait: each POST tells why its task waits, and that looks at all of them. */
import { createPoolAndKey } from '@iac-agent/testkit'
import type { FleetServer } from '../measure/open-fleet.js'
import { makeWorkspaces, queuePlans } from '../measure/plan-tasks.js'
import { timed } from '../measure/timed.js'

const queueLengths = [50, 200, 800, 3_200] as const

const postsAtEach = 40
const workspaces = 20

/** Milliseconds of each of some POSTs, one after the other, by the number of tasks that wait before them. Nobody can run them. */
export async function postsBehindQueue({ server }: FleetServer): Promise<Map<number, number[]>> {
  const pool = await createPoolAndKey(server.client, 'long-queue')
  const ids = await makeWorkspaces(server.client, pool, workspaces)
  const inTurn = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ids[(from + index) % ids.length] ?? '')
  const times = new Map<number, number[]>()
  let waiting = 0
  for (const length of queueLengths) {
    await queuePlans(server.client, inTurn(waiting, length - waiting))
    const posts: number[] = []
    for (const id of inTurn(length, postsAtEach)) posts.push(await timed(() => queuePlans(server.client, [id])))
    times.set(length, posts)
    waiting = length + postsAtEach
  }
  return times
}
