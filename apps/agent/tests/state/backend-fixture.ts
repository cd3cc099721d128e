/** A state backend in a directory of its own, and terraform talking to it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import { temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { request } from 'undici'
import { openStateBackend, type StateBackend, type StateBackendOptions } from '../../src/state/state-backend.js'
import type { StoredState } from '../../src/state/stored-state.js'
import { ownVariables } from '../../src/terraform/environment.js'

export const lineage = '11111111-2222-3333-4444-555555555555'

export interface BackendFixture extends AsyncDisposable {
  readonly directory: string
  readonly statesDir: string
  readonly rootDir: string
  /** States the backend told of, in order. */
  readonly told: StoredState[]
  backend: StateBackend
  /** Closes it, and opens it again as a restarted agent does: same port, same credentials, same directory. */
  reopen(): Promise<void>
  get(): Promise<{ status: number; text: string }>
  post(body: string | Buffer, headers?: Record<string, string>): Promise<{ status: number; text: string }>
  /** Runs terraform in the root module; `env` on top of what the agent sets. */
  terraform(args: readonly string[], env?: Record<string, string>): Promise<{ exitCode: number; all: string }>
  /** Writes main.tf and initialises. */
  configure(mainTf: string): Promise<void>
}

export async function backendFixture(options: Partial<StateBackendOptions> = {}): Promise<BackendFixture> {
  const temporary = await temporaryDirectory()
  const directory = temporary.path
  const statesDir = join(directory, 'states')
  const rootDir = join(directory, 'root')
  await mkdir(rootDir)
  const told: StoredState[] = []
  const open = (port?: number, credentials?: StateBackend['credentials']) =>
    openStateBackend({
      statesDir,
      lineage,
      onState: async (state) => void told.push(state),
      log: silentLogger(),
      ...options,
      ...(port === undefined ? {} : { port }),
      ...(credentials === undefined ? {} : { credentials }),
    })
  const send = async (method: 'GET' | 'POST', body?: string | Buffer, headers: Record<string, string> = {}) => {
    const { credentials, port } = fixture.backend
    const authorization = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
    const answer = await request(`http://127.0.0.1:${port}/state`, {
      method,
      headers: { authorization, ...headers },
      ...(body === undefined ? {} : { body }),
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
  const fixture: BackendFixture = {
    directory,
    statesDir,
    rootDir,
    told,
    backend: await open(),
    reopen: async () => {
      await fixture.backend.close()
      fixture.backend = await open(fixture.backend.port, fixture.backend.credentials)
    },
    get: () => send('GET'),
    post: (body, headers) => send('POST', body, headers),
    terraform: async (args, env = {}) => {
      const result = await execa('terraform', args, {
        cwd: rootDir,
        env: { PATH: process.env.PATH, ...ownVariables({ backend: fixture.backend.env }), ...env },
        extendEnv: false,
        reject: false,
        all: true,
        stdin: 'ignore',
      })
      return { exitCode: result.exitCode ?? -1, all: result.all ?? '' }
    },
    configure: async (mainTf) => {
      await writeFile(join(rootDir, 'main.tf'), mainTf)
      await writeFile(join(rootDir, 'zz_override.tf.json'), '{"terraform":{"backend":{"http":{}}}}')
      const { exitCode, all } = await fixture.terraform(['init', '-no-color'])
      if (exitCode !== 0) throw new Error(all)
    },
    [Symbol.asyncDispose]: async () => {
      await fixture.backend.close()
      await temporary[Symbol.asyncDispose]()
    },
  }
  return fixture
}

/** A state of version 4, as terraform writes it. */
export function stateText(serial: number, extra: Record<string, unknown> = {}): string {
  return JSON.stringify({
    version: 4,
    terraform_version: '1.11.4',
    serial,
    lineage,
    outputs: {},
    resources: [],
    ...extra,
  })
}

/** The bytes of a stored state. */
export function bytesOf(state: StoredState | undefined): Promise<string> {
  return readFile(state?.path ?? '', 'utf8')
}
