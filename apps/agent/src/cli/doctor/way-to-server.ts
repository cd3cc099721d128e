/** The way to the server, hop by hop: name, TCP, proxy, TLS; the first that fails stops the walk. */
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Network } from '../../server-api/network.js'
import { type CheckResult, failed, ok, reasonOf, skipped } from './check.js'

const hopTimeoutMs = 5000

/** Answers dns, tcp, proxy and tls, in this order. */
export async function checkWay(serverUrl: URL, network: Network): Promise<CheckResult[]> {
  const proxy = network.proxyFor(serverUrl)
  const hop = proxy ?? serverUrl
  const results: CheckResult[] = []
  const add = (result: CheckResult) => {
    results.push(result)
    return result.result !== 'failed'
  }
  if (!add(await checkName(hop, proxy))) return [...results, ...skipAfter(results)]
  const tcp = await openTcp(hop, proxy)
  if (!add(tcp.result) || !tcp.socket) return [...results, ...skipAfter(results)]
  using socket = disposable(tcp.socket)
  const tunnel = await openTunnel(socket.stream, serverUrl, proxy)
  if (!add(tunnel.result) || !tunnel.stream) return [...results, ...skipAfter(results)]
  add(await checkTls(tunnel.stream, serverUrl, network.ca))
  return results
}

async function checkName(hop: URL, proxy: URL | undefined): Promise<CheckResult> {
  const host = bareHost(hop)
  const whose = proxy ? "the proxy's name" : 'the server name'
  if (isIP(host)) return ok('dns', `${host} is an address`)
  try {
    const { address } = await lookup(host)
    return ok('dns', `${host} is ${address}`)
  } catch (error) {
    return failed(
      'dns',
      `${whose} ${host} does not resolve: ${reasonOf(error)}; check the name and this machine's resolver`,
    )
  }
}

async function openTcp(hop: URL, proxy: URL | undefined): Promise<{ result: CheckResult; socket?: Socket }> {
  const port = portOf(hop)
  const whose = proxy ? 'the proxy ' : ''
  const socket = connectTcp({ host: bareHost(hop), port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(hopTimeoutMs) })
    return { result: ok('tcp', `${whose}${hop.hostname}:${port} accepts connections`), socket }
  } catch (error) {
    socket.destroy()
    return {
      result: failed(
        'tcp',
        `${whose}${hop.hostname}:${port} cannot be reached: ${reasonOf(error)}; is it up, is a firewall between?`,
      ),
    }
  }
}

/** Through the proxy as the agent goes: CONNECT for TLS and plain alike. */
async function openTunnel(
  socket: Socket,
  serverUrl: URL,
  proxy: URL | undefined,
): Promise<{ result: CheckResult; stream?: Duplex }> {
  if (!proxy) return { result: skipped('proxy', 'no proxy for this server'), stream: socket }
  const target = `${serverUrl.hostname}:${portOf(serverUrl)}`
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const headers = proxy.username ? { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` } : {}
  const outgoing = request({
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...headers },
    createConnection: () => socket,
  })
  outgoing.end()
  try {
    const [answer, stream] = await once(outgoing, 'connect', { signal: AbortSignal.timeout(hopTimeoutMs) })
    const { statusCode = 0 } = answer as { statusCode?: number }
    if (statusCode === 200)
      return { result: ok('proxy', `${proxy.host} lets us through to ${target}`), stream: stream as Duplex }
    const why =
      statusCode === 407
        ? 'it wants other credentials (user:password@ in the proxy variable)'
        : `it answered ${statusCode}`
    return { result: failed('proxy', `${proxy.host} refuses the way to ${target}: ${why}`) }
  } catch (error) {
    return { result: failed('proxy', `${proxy.host} does not answer CONNECT: ${reasonOf(error)}`) }
  }
}

async function checkTls(stream: Duplex, serverUrl: URL, ca: string[] | undefined): Promise<CheckResult> {
  if (serverUrl.protocol === 'http:') return skipped('tls', 'the server is plain http')
  const servername = isIP(bareHost(serverUrl)) ? {} : { servername: bareHost(serverUrl) }
  const socket: TLSSocket = connectTls({
    socket: stream,
    ...servername,
    ...(ca ? { ca } : {}),
    host: bareHost(serverUrl),
  })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(hopTimeoutMs) })
    return ok('tls', `${socket.getProtocol()}, certificate valid until ${socket.getPeerCertificate().valid_to}`)
  } catch (error) {
    const isPlain = (error as NodeJS.ErrnoException).code === 'ERR_SSL_WRONG_VERSION_NUMBER'
    const advice = isPlain
      ? 'no TLS is spoken there; is the server plain http?'
      : 'a private authority is given with --ca-file'
    return failed('tls', `${serverUrl.host}: ${reasonOf(error)}; ${advice}`)
  } finally {
    socket.destroy()
  }
}

function skipAfter(results: CheckResult[]): CheckResult[] {
  const way = ['dns', 'tcp', 'proxy', 'tls'] as const
  return way.slice(results.length).map((name) => skipped(name, `${results.at(-1)?.name} failed`))
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
}

function disposable(stream: Socket): Disposable & { stream: Socket } {
  return { stream, [Symbol.dispose]: () => stream.destroy() }
}
