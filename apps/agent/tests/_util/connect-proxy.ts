/** An HTTP proxy that only tunnels (CONNECT) and asks for a password. */
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ConnectProxy extends AsyncDisposable {
  /** with user and password */
  url: string
  /** `host:port` of every tunnel that was let through */
  readonly tunnels: string[]
  /** CONNECTs refused for want of the password */
  readonly refused: string[]
}

export async function startConnectProxy(): Promise<ConnectProxy> {
  const tunnels: string[] = []
  const refused: string[] = []
  const sockets = new Set<Socket>()
  const expected = `Basic ${Buffer.from('ops:p@ss word').toString('base64')}`
  const server = createServer((_, response) => response.writeHead(405).end('<html>only CONNECT</html>'))
  server.on('connect', (request, client: Socket, head: Buffer) => {
    const target = request.url ?? ''
    sockets.add(client)
    client.on('error', () => client.destroy())
    if (request.headers['proxy-authorization'] !== expected) {
      refused.push(target)
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 13\r\n\r\n<html></html>')
      return
    }
    tunnels.push(target)
    const [host, port] = target.split(':')
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://ops:p%40ss%20word@127.0.0.1:${port}`,
    tunnels,
    refused,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
