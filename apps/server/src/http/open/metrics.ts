/** `/metrics` in Prometheus' text form: requests as they end, tasks and agents as the store has them, and the process itself. */
import { openEndpoints } from '@iac-agent/protocol'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { countAgents, countTasks, countUnreachable } from '../../store/count-rows.js'
import type { Store } from '../../store/store.js'
import { route } from '../route.js'

/** Counts requests of `app` from now on; answers the way to serve what was counted, in the scope that guards it. */
export function meterRequests(app: FastifyInstance, store: Store): (scope: FastifyInstance) => void {
  const registry = new Registry()
  const requests = new Histogram({
    name: 'iac_http_request_seconds',
    help: 'requests by contract and status',
    labelNames: ['endpoint', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [registry],
  })
  app.addHook('onResponse', (request, reply, done) => {
    const endpoint = request.routeOptions.config.endpoint?.name ?? 'none'
    requests.observe({ endpoint, status: reply.statusCode }, reply.elapsedTime / 1000)
    done()
  })
  gaugesOf(store, registry)
  return (scope) =>
    route(scope, openEndpoints.metrics, async () => {
      if (registry.getSingleMetric('process_cpu_seconds_total') === undefined)
        collectDefaultMetrics({ register: registry })
      return Buffer.from(await registry.metrics())
    })
}

/** Read from the store when somebody asks. */
function gaugesOf(store: Store, registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'iac_tasks',
    help: 'tasks by status',
    labelNames: ['status'],
    registers,
    async collect() {
      this.reset()
      for (const { status, count } of await store.read(countTasks)) this.set({ status }, count)
    },
  })
  new Gauge({
    name: 'iac_tasks_unreachable',
    help: 'running tasks whose agent is silent: somebody should look',
    registers,
    async collect() {
      this.set(await store.read(countUnreachable))
    },
  })
  new Gauge({
    name: 'iac_agents',
    help: 'agents by connection',
    labelNames: ['status'],
    registers,
    async collect() {
      const { online, offline } = await store.read(countAgents)
      this.set({ status: 'online' }, online)
      this.set({ status: 'offline' }, offline)
    },
  })
}
