/** buildah by chroot: as root it needs no daemon and no namespaces. */
import { randomUUID } from 'node:crypto'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@iac-agent/testkit'
import { program, type Running, runWithLines, succeed } from './command.js'
import { initBelow, killIfThere, type Process, processesIn } from './container-processes.js'
import type { Container, Engine, StartOptions, Volume } from './engine.js'

const isolation = { BUILDAH_ISOLATION: 'chroot' }
/** The uid both images run as (deploy/*.Dockerfile). */
const imageUid = 10001

interface ImageConfig {
  Entrypoint: string[]
  Cmd: string[]
  Healthcheck: { Test: string[] }
}

export class Buildah implements Engine {
  readonly name = 'buildah'

  async build({ dockerfile, context, image, args = {} }: Parameters<Engine['build']>[0]): Promise<void> {
    const given = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`])
    await buildah(['bud', '--layers', '--format', 'docker', ...given, '-f', dockerfile, '-t', image, context])
  }

  async has(image: string): Promise<boolean> {
    return (await program('buildah', ['pull', '--policy', 'missing', image])).code === 0
  }

  async sizeBytes(image: string): Promise<number> {
    const name = await buildah(['from', image])
    const size = Number.parseInt(await succeed('du', ['-s', '--block-size=1', await buildah(['mount', name])]), 10)
    await buildah(['rm', name])
    return size
  }

  async volume(): Promise<Volume> {
    const source = await mkdtemp(join(tmpdir(), 'iac-volume-'))
    await chown(source, imageUid, imageUid)
    return { source, [Symbol.asyncDispose]: () => rm(source, { recursive: true }) }
  }

  async start(options: StartOptions): Promise<Container> {
    const name = `iac-test-${randomUUID()}`
    await buildah(['from', '--name', name, options.image])
    // A declared volume is mounted besides ours at the same place, by chance before or after it (seen with 1.28): then it hides ours.
    for (const { at } of options.volumes) await buildah(['config', '--volume', `${at}-`, name])
    const inspected = await buildah(['inspect', '--type', 'image', options.image])
    const { Docker } = JSON.parse(inspected) as { Docker: { config: ImageConfig } }
    return new BuildahContainer(name, options, Docker.config)
  }
}

class BuildahContainer implements Container {
  readonly #running: Running
  #init: Process | undefined

  constructor(
    readonly name: string,
    readonly options: StartOptions,
    readonly config: ImageConfig,
  ) {
    const command = this.#runArgs([...config.Entrypoint, ...config.Cmd])
    this.#running = runWithLines('buildah', command, isolation)
  }

  get lines(): readonly string[] {
    return this.#running.lines
  }

  exec(command: string[]): Promise<{ code: number; output: string }> {
    return program('buildah', this.#runArgs(command), isolation)
  }

  health(): Promise<{ code: number; output: string }> {
    return this.exec(this.config.Healthcheck.Test.slice(1))
  }

  async stop(graceMs: number): Promise<{ killed: boolean }> {
    const { pid, root } = await this.#findInit()
    process.kill(pid, 'SIGTERM')
    const isEmpty = async () => (await processesIn(root)).length === 0
    const ended = eventually('the container’s end', isEmpty, { timeoutMs: graceMs, everyMs: 100 })
    const killed = await ended.then(
      () => false,
      () => true, // the grace is over, which is an answer: now the engine kills
    )
    await this.#kill()
    return { killed }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill()
    await buildah(['rm', this.name])
  }

  async #kill(): Promise<void> {
    const init = this.#init ?? (await initBelow(this.#running.pid))
    if (init !== undefined) {
      await eventually('nobody left in the container', async () => {
        const left = await processesIn(init.root)
        for (const { pid } of left) killIfThere(pid)
        return left.length === 0
      })
    }
    await this.#running.ended
  }

  async #findInit(): Promise<Process> {
    this.#init ??= await eventually('the container’s init', () => initBelow(this.#running.pid))
    return this.#init
  }

  #runArgs(command: string[]): string[] {
    const { volumes, files = {} } = this.options
    const mounts = [
      ...volumes.flatMap(({ volume, at }) => ['-v', `${volume.source}:${at}`]),
      ...Object.entries(files).flatMap(([from, at]) => ['-v', `${from}:${at}:ro`]),
    ]
    // This buildah knows no `--env NAME` without the value; the keys in it are good for this test's server only.
    const variables = Object.entries(this.options.env).flatMap(([key, value]) => ['--env', `${key}=${value}`])
    return ['run', ...mounts, ...variables, this.name, '--', ...command]
  }
}

async function buildah(args: string[]): Promise<string> {
  return (await succeed('buildah', args, isolation)).trim()
}
