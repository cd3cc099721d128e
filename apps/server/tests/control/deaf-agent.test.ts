import { once } from 'node:events'
import { connect } from 'node:net'
import { eventually } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { findAgent } from '../../src/store/agent-rows.js'
import { gatewayWorld } from './gateway-world.js'

/** A WebSocket of agent `a` by hand, which reads nothing after the upgrade. */
async function deafSocket(url: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {}) // the cut that is waited for
  const upgrade = { host: 'x', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  const lines = Object.entries({ ...upgrade, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`GET /api/v1/agents/control?agent_id=a HTTP/1.1\r\n${head}\r\n`)
  await once(socket, 'data')
  socket.pause()
  return socket
}

/** A masked ping of 125 bytes; its key is 0. */
const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)])

const mostBytes = 256 * 1024 * 1024

describe('an agent that never reads', () => {
  it('is given up when what it is told piles up', async () => {
    await using world = await gatewayWorld()
    const socket = await deafSocket(world.url)
    let told = 0
    while (world.hub.cancelTaskOnAgent('a', told)) {
      told += 1
      if (told % 1_000 === 0) await new Promise(setImmediate)
      expect(told * 30).toBeLessThan(mostBytes)
    }
    await eventually('the agent is offline', async () => {
      return (await world.store.read((reader) => findAgent(reader, 'a')))?.online === 0
    })
    socket.destroy()
  })

  it('is given up when the answers to its pings pile up', async () => {
    await using world = await gatewayWorld()
    const socket = await deafSocket(world.url)
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => ping))
    let isClosed = false
    const closed = new Promise<void>((resolve) => {
      socket.on('close', () => {
        isClosed = true
        resolve()
      })
    })
    for (let sentBytes = 0; !isClosed && sentBytes < mostBytes; sentBytes += many.length) {
      if (!socket.write(many)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed])
    }
    expect(isClosed).toBe(true)
  })
})
