/** Every setting of iac-server, with its default. */
import {
  choice,
  defineSettings,
  durationMs,
  integer,
  listenAddress,
  logFormats,
  logLevels,
  networks,
  path,
  secretSetting,
  setting,
  switchSetting,
} from '@iac-agent/runtime'

const rate = integer({ min: 1, max: 10_000_000 })

export const serverSettings = defineSettings('IAC_SERVER', {
  listen: setting({
    flag: 'listen',
    value: 'host:port',
    parse: listenAddress,
    default: '127.0.0.1:8080',
    help: 'address to serve on; port 0 takes a free one',
  }),
  dataDir: setting({
    flag: 'data-dir',
    value: 'dir',
    parse: path,
    help: 'where everything is kept; default /var/lib/iac-server when writable, else under $XDG_STATE_HOME',
  }),
  operatorToken: secretSetting({
    flag: 'operator-token',
    help: "an admin's token, instead of the one made at the first start",
  }),
  tlsCertFile: setting({
    flag: 'tls-cert-file',
    value: 'file',
    parse: path,
    help: 'serve https with this certificate chain (PEM)',
  }),
  tlsKeyFile: setting({ flag: 'tls-key-file', value: 'file', parse: path, help: 'its private key (PEM)' }),
  trustedProxies: setting({
    flag: 'trusted-proxies',
    value: 'cidr,…',
    parse: networks,
    default: '',
    help: 'addresses of the proxies that end TLS in front of this server',
  }),
  insecureHttp: switchSetting({ flag: 'insecure-http', help: 'serve plain http beyond loopback all the same' }),
  heartbeatInterval: setting({
    flag: 'heartbeat-interval',
    value: 'duration',
    parse: durationMs({ min: 50, max: 60_000 }),
    default: '10s',
    help: 'how often agents say that they live',
  }),
  leaseTtl: setting({
    flag: 'lease-ttl',
    value: 'duration',
    parse: durationMs({ min: 200, max: 3_600_000 }),
    default: '60s',
    help: 'how long an attempt may be silent',
  }),
  offerTimeout: setting({
    flag: 'offer-timeout',
    value: 'duration',
    parse: durationMs({ min: 100, max: 600_000 }),
    default: '10s',
    help: 'how long an agent may take to accept a task',
  }),
  agentRateLimit: setting({
    flag: 'agent-rate-limit',
    value: 'n',
    parse: rate,
    default: '30000',
    help: 'requests per minute and agent',
  }),
  operatorRateLimit: setting({
    flag: 'operator-rate-limit',
    value: 'n',
    parse: rate,
    default: '12000',
    help: 'requests per minute and operator token',
  }),
  metricsPublic: switchSetting({ flag: 'metrics-public', help: 'serve /metrics without a token' }),
  logLevel: setting({
    flag: 'log-level',
    value: 'level',
    parse: choice(logLevels),
    default: 'info',
    help: 'how much to log',
  }),
  logFormat: setting({
    flag: 'log-format',
    value: 'format',
    parse: choice(logFormats),
    default: 'pretty',
    help: 'pretty or json',
  }),
})
