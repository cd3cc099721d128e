/**
 * The test provider's program. Started by terraform, it serves plugin protocol 5 with TLS on a loopback port, says where in go-plugin's
 * handshake line, and ends when terraform tells it to. Like Go plugins it ignores SIGINT: an interrupt is terraform's business.
 */
import { join } from 'node:path'
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { selfSigned } from './certificate.js'
import { CloudProvider } from './cloud-provider.js'

type Handler = (request: never) => unknown

process.on('SIGINT', () => {})

const provider = new CloudProvider()
const server = new Server({ 'grpc.max_receive_message_length': -1 })
server.addService(
  service('provider.proto', 'tfplugin5', 'Provider'),
  answering({
    GetSchema: () => provider.getSchema(),
    PrepareProviderConfig: (request) => provider.prepareProviderConfig(request),
    ValidateResourceTypeConfig: () => provider.validateResourceTypeConfig(),
    UpgradeResourceState: (request) => provider.upgradeResourceState(request),
    Configure: (request) => provider.configure(request),
    ReadResource: (request) => provider.readResource(request),
    PlanResourceChange: (request) => provider.planResourceChange(request),
    ApplyResourceChange: (request) => provider.applyResourceChange(request),
    ImportResourceState: (request) => provider.importResourceState(request),
    Stop: () => provider.stop(),
  }),
)
server.addService(service('plugin.proto', 'plugin', 'GRPCController'), answering({ Shutdown: () => shutDown() }))

const { keyPem, certificatePem, certificateDer } = selfSigned()
const credentials = ServerCredentials.createSsl(null, [
  { private_key: Buffer.from(keyPem), cert_chain: Buffer.from(certificatePem) },
])
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error
  const certificate = certificateDer.toString('base64').replace(/=+$/, '')
  process.stdout.write(`1|5|tcp|127.0.0.1:${port}|grpc|${certificate}\n`)
})

function service(file: string, scope: string, name: string) {
  const definition = loadSync(join(__dirname, file), { keepCase: true, longs: Number, enums: String, defaults: true })
  const Service = (loadPackageDefinition(definition)[scope] as GrpcObject)[name] as ServiceClientConstructor
  return Service.service
}

function answering(handlers: Record<string, Handler>) {
  const entries = Object.entries(handlers).map(([name, handler]) => {
    const respond = (call: { request: never }, reply: (error: Error | null, answer?: unknown) => void) => {
      Promise.resolve()
        .then(() => handler(call.request))
        .then(
          (answer) => reply(null, answer),
          (error: Error) => reply(error),
        )
    }
    return [name, respond]
  })
  return Object.fromEntries(entries)
}

function shutDown() {
  setImmediate(() => server.tryShutdown(() => process.exit(0)))
  return {}
}
