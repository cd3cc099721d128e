/** docker and podman: the same commands. */
import { randomUUID } from 'node:crypto'
import { program, type Running, runWithLines, succeed } from './command.js'
import type { Container, Engine, StartOptions, Volume } from './engine.js'

export class Docker implements Engine {
  constructor(readonly name: 'docker' | 'podman') {}

  async build({ dockerfile, context, image, args = {} }: Parameters<Engine['build']>[0]): Promise<void> {
    const given = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`])
    // podman's own format has no place for a health check.
    const format = this.name === 'podman' ? ['--format', 'docker'] : []
    await succeed(this.name, [
      'build',
      ...format,
      '--network',
      'host',
      ...given,
      '-f',
      dockerfile,
      '-t',
      image,
      context,
    ])
  }

  async has(image: string): Promise<boolean> {
    if ((await program(this.name, ['image', 'inspect', image])).code === 0) return true
    return (await program(this.name, ['pull', image])).code === 0
  }

  async sizeBytes(image: string): Promise<number> {
    return Number(await succeed(this.name, ['image', 'inspect', '--format', '{{.Size}}', image]))
  }

  async volume(): Promise<Volume> {
    const source = `iac-test-${randomUUID()}`
    await succeed(this.name, ['volume', 'create', source])
    return { source, [Symbol.asyncDispose]: async () => void (await succeed(this.name, ['volume', 'rm', source])) }
  }

  start({ image, env, volumes, files = {} }: StartOptions): Promise<Container> {
    const name = `iac-test-${randomUUID()}`
    const mounts = [
      ...volumes.flatMap(({ volume, at }) => ['-v', `${volume.source}:${at}`]),
      ...Object.entries(files).flatMap(([from, at]) => ['-v', `${from}:${at}:ro`]),
    ]
    const names = Object.keys(env).flatMap((key) => ['-e', key])
    const args = ['run', '--name', name, '--network', 'host', ...mounts, ...names, image]
    return Promise.resolve(new DockerContainer(this.name, name, runWithLines(this.name, args, env)))
  }
}

class DockerContainer implements Container {
  constructor(
    readonly engine: string,
    readonly name: string,
    readonly running: Running,
  ) {}

  get lines(): readonly string[] {
    return this.running.lines
  }

  exec(command: string[]): Promise<{ code: number; output: string }> {
    return program(this.engine, ['exec', this.name, ...command])
  }

  async health(): Promise<{ code: number; output: string }> {
    const asked = ['inspect', '--format', '{{json .Config.Healthcheck.Test}}', this.name]
    const test: string[] = JSON.parse(await succeed(this.engine, asked))
    return this.exec(test.slice(1))
  }

  async stop(graceMs: number): Promise<{ killed: boolean }> {
    await succeed(this.engine, ['stop', '-t', String(Math.round(graceMs / 1000)), this.name])
    await this.running.ended
    const code = await succeed(this.engine, ['inspect', '--format', '{{.State.ExitCode}}', this.name])
    return { killed: code.trim() === '137' }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await succeed(this.engine, ['rm', '-f', '-v', this.name])
    await this.running.ended
  }
}
