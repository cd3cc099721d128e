/** The OpenAPI document, made of the same contracts as the routes. */
import { type Audience, allEndpoints, type Endpoint, ErrorBody } from '@iac-agent/protocol'
import type { TSchema } from 'typebox'

interface OpenApiDocument {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string }
  paths: Record<string, Record<string, object>>
  components: object
}

const operator = [{ operatorToken: [] }]
const agent = [{ appKey: [], appSecret: [] }]

export function openApiDocument(version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const endpoint of allEndpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'iac-server', version, description: 'Runs Terraform and OpenTofu on agents of your own.' },
    paths,
    components: {
      securitySchemes: {
        operatorToken: { type: 'http', scheme: 'bearer' },
        appKey: { type: 'apiKey', in: 'header', name: 'X-App-Key' },
        appSecret: { type: 'apiKey', in: 'header', name: 'X-App-Secret' },
        lease: { type: 'apiKey', in: 'header', name: 'X-Task-Lease' },
      },
      schemas: { Error: ErrorBody },
    },
  }
}

function operationOf(endpoint: Endpoint): object {
  const { answer, body } = endpoint
  return {
    operationId: endpoint.name,
    summary: endpoint.summary,
    tags: [endpoint.tag],
    security: securityOf(endpoint.audience),
    parameters: [...parametersOf(endpoint.params, 'path'), ...parametersOf(endpoint.query, 'query')],
    ...(body === undefined ? {} : { requestBody: { content: contentOf(body.json, body.raw ?? []) } }),
    responses: {
      [answer.status]: {
        description: 'success',
        content: contentOf(answer.json, answer.raw === undefined ? [] : [answer.raw]),
      },
      default: {
        description: 'error',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function contentOf(json: TSchema | undefined, raw: readonly string[]): object {
  const bytes = Object.fromEntries(raw.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]))
  return json === undefined ? bytes : { ...bytes, 'application/json': { schema: json } }
}

function parametersOf(schema: TSchema | undefined, place: 'path' | 'query'): object[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, object>
    required?: string[]
  }
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: one,
  }))
}

function securityOf(audience: Audience): object[] {
  if (audience === 'open') return []
  if (audience === 'agent') return agent
  if (audience === 'attempt') return [{ appKey: [], appSecret: [], lease: [] }, ...agent]
  return audience === 'agent_or_operator' ? [...agent, ...operator] : operator
}
