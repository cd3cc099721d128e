/** How the agent reaches other hosts: proxy and trusted certificates, decided once for HTTP and WebSocket alike. */
import { rootCertificates } from 'node:tls'
import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici'

export interface NetworkSettings {
  /** proxy for http:// targets, `http[s]://[user:password@]host:port`; also for https:// when `httpsProxy` is absent */
  httpProxy?: string
  httpsProxy?: string
  /** NO_PROXY: hosts, domains and `host:port`, separated by commas; `*` for all */
  noProxy?: string
  /** PEM certificates trusted in addition to the system's */
  ca?: string
}

export interface Network extends AsyncDisposable {
  /** for undici: any host */
  readonly dispatcher: Dispatcher
  /** the proxy for `url`; undefined: straight */
  proxyFor(url: URL): URL | undefined
  /** for TLS of one's own (WebSocket); undefined: the system's roots */
  readonly ca: string[] | undefined
}

const connectTimeoutMs = 10_000

export function createNetwork(settings: NetworkSettings): Network {
  const proxyFor = (url: URL) => chooseProxy(settings, url)
  const ca = settings.ca === undefined ? undefined : [...rootCertificates, settings.ca]
  const tls = { timeout: connectTimeoutMs, ...(ca === undefined ? {} : { ca }) }
  const dispatcher = new Agent({
    connect: tls,
    factory: (origin, options) => {
      const proxy = proxyFor(new URL(origin))
      if (proxy === undefined) return new Pool(origin, options)
      return new ProxyAgent({ uri: proxy.href, requestTls: tls, proxyTls: tls })
    },
  })
  return { dispatcher, proxyFor, ca, [Symbol.asyncDispose]: () => dispatcher.destroy() }
}

/** The customary reading of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
function chooseProxy(settings: NetworkSettings, url: URL): URL | undefined {
  const isSecure = url.protocol === 'https:' || url.protocol === 'wss:'
  const proxy = (isSecure ? settings.httpsProxy : undefined) || settings.httpProxy
  if (!proxy || isExcepted(settings.noProxy ?? '', url, isSecure)) return undefined
  return new URL(/^\w+:\/\//.test(proxy) ? proxy : `http://${proxy}`)
}

function isExcepted(noProxy: string, url: URL, isSecure: boolean): boolean {
  const port = url.port || (isSecure ? '443' : '80')
  const host = url.hostname.toLowerCase()
  return noProxy
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const [, name = entry, only] = /^(.+):(\d+)$/.exec(entry) ?? []
      const domain = name.replace(/^\*?\./, '')
      return (only === undefined || only === port) && (host === domain || host.endsWith(`.${domain}`))
    })
}
