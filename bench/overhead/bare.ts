/** The rival: somebody who runs terraform by hand, one command after the other in one shell. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { timed } from '../measure/timed.js'
import { configurationOf, emptiedState } from './configuration.js'

export interface BareOptions {
  /** Takes the work directories. */
  readonly directory: string
  /** Of the loopback http backend, and the folder of its states; absent: the local backend. */
  readonly http?: { readonly url: string; readonly states: string }
}

/** What the agent runs too, `-parallelism` at its default there and here; the output goes into a file. */
const commands = `exec >output 2>&1 </dev/null
terraform init -input=false -no-color &&
terraform plan -input=false -no-color -out=tfplan &&
terraform show -json -no-color tfplan >tfplan.json &&
terraform apply -input=false -no-color tfplan`

export class BareRun {
  #made = 0

  constructor(private readonly options: BareOptions) {}

  /** In a new directory. Milliseconds. */
  async cold(resources: number): Promise<number> {
    const { name, directory } = this.#next()
    await this.#write(directory, resources)
    const ms = await timed(() => this.#run(name, directory))
    await rm(directory, { recursive: true })
    return ms
  }

  /** In a directory that has run before; answers what runs it again, with its state emptied. */
  async warm(resources: number): Promise<() => Promise<number>> {
    const { name, directory } = this.#next()
    await this.#write(directory, resources)
    await this.#run(name, directory, 'terraform init -input=false -no-color >output')
    const { http } = this.options
    const stateFile = http === undefined ? join(directory, 'terraform.tfstate') : join(http.states, `${name}.tfstate`)
    return async () => {
      await writeFile(stateFile, emptiedState('5a3cbd2f-6d51-4c6d-9c4f-1b6f7f9d2f10', 1))
      await rm(`${stateFile}.backup`, { force: true })
      return await timed(() => this.#run(name, directory))
    }
  }

  #next(): { name: string; directory: string } {
    const kind = this.options.http === undefined ? 'local' : 'http'
    const name = `${kind}-${++this.#made}`
    return { name, directory: join(this.options.directory, name) }
  }

  async #write(directory: string, resources: number): Promise<void> {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'main.tf'), configurationOf(resources))
    const backend = 'terraform {\n  backend "http" {}\n}\n'
    if (this.options.http !== undefined) await writeFile(join(directory, 'backend.tf'), backend)
  }

  async #run(name: string, cwd: string, script = commands): Promise<void> {
    const { http } = this.options
    await execa('/bin/sh', ['-c', script], {
      cwd,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: cwd,
        TF_IN_AUTOMATION: '1',
        CHECKPOINT_DISABLE: '1',
        ...(http === undefined ? {} : { TF_HTTP_ADDRESS: `${http.url}/${name}` }),
      },
      extendEnv: false,
      stdin: 'ignore',
    })
  }
}
