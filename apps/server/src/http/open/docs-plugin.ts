/** `/openapi.json`, and pages to browse it at `/docs`. */
import type { FastifyInstance } from 'fastify'
import { openApiDocument } from './openapi.js'

export async function docsPlugin(app: FastifyInstance, options: { version: string }): Promise<void> {
  const document = openApiDocument(options.version)
  app.get('/openapi.json', (_request, reply) => reply.send(document))
  const [{ default: swagger }, { default: swaggerUi }] = await Promise.all([
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
  ])
  await app.register(swagger, { mode: 'static', specification: { document } })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
}
