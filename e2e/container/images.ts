/** The two images, built from this checkout, and containers of them as a test wants them. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { createClient, type OperatorClient } from '@iac-agent/client'
import { eventually, repositoryRoot } from '@iac-agent/testkit'
import { type BaseImages, baseImages } from './base-images.js'
import { succeed } from './command.js'
import type { Container, Engine, Volume } from './engine.js'

const names = { server: 'localhost/iac-server:test', agent: 'localhost/iac-agent:test' }

/** Built images and what they were built on. */
export interface Images {
  engine: Engine
  base: string
  server: string
  agent: string
}

/** Builds both Dockerfiles of deploy/. */
export async function buildImages(engine: Engine): Promise<Images> {
  const bases = await baseImages(engine)
  await build(engine, 'server', bases)
  await build(engine, 'agent', bases)
  return { engine, base: bases.base, ...names }
}

async function build(engine: Engine, program: 'server' | 'agent', bases: BaseImages): Promise<void> {
  await engine.build({
    dockerfile: `${repositoryRoot()}/deploy/${program}.Dockerfile`,
    context: repositoryRoot(),
    image: names[program],
    args: { BUILD_IMAGE: bases.build, BASE_IMAGE: bases.base },
  })
}

/** A server's container that is ready. */
export interface ServerContainer extends AsyncDisposable {
  container: Container
  url: string
  client: OperatorClient
}

/** One operator token for the servers of a test, so that a second container of the same volume knows it. */
const operatorToken = randomBytes(24).toString('base64url')

/** On a free port of loopback, with its data on `volume`. */
export async function startServerContainer({ engine, server }: Images, volume: Volume): Promise<ServerContainer> {
  const port = await freePort()
  const container = await engine.start({
    image: server,
    env: { IAC_SERVER_LISTEN: `127.0.0.1:${port}`, IAC_SERVER_OPERATOR_TOKEN: operatorToken },
    volumes: [{ volume, at: '/var/lib/iac-server' }],
  })
  await said(container, 'ready')
  const url = `http://127.0.0.1:${port}`
  const client = createClient({ baseUrl: url, token: operatorToken })
  return { container, url, client, [Symbol.asyncDispose]: () => container[Symbol.asyncDispose]() }
}

/** Connected to `url`; terraform is this machine's, since the image has none. */
export async function startAgentContainer(
  { engine, agent }: Images,
  { url, key, volume }: { url: string; key: { app_key: string; app_secret: string }; volume: Volume },
): Promise<Container> {
  const terraform = (await succeed('sh', ['-c', 'command -v terraform'])).trim()
  const container = await engine.start({
    image: agent,
    env: {
      IAC_AGENT_SERVER_URL: url,
      IAC_AGENT_APP_KEY: key.app_key,
      IAC_AGENT_APP_SECRET: key.app_secret,
      IAC_AGENT_NAME: 'container',
    },
    volumes: [{ volume, at: '/var/lib/iac-agent' }],
    files: { [terraform]: '/usr/local/bin/terraform' },
  })
  await said(container, 'ready')
  return container
}

/** Waits for the log line; a container that does not say it is removed, and the error shows what it said instead. */
async function said(container: Container, message: string): Promise<void> {
  const isThere = () => container.lines.some((line) => line.includes(`"msg":"${message}"`))
  try {
    await eventually(`the container says ${message}`, isThere, { timeoutMs: 60_000 })
  } catch (cause) {
    await container[Symbol.asyncDispose]()
    throw new Error(`the container said instead:\n${container.lines.join('\n')}`, { cause })
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
