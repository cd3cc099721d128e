/** Finds a terraform or tofu that fits a workspace: the host's own, else one downloaded before, else a download. */
import { access, constants, realpath, stat, utimes } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Engine } from '@iac-agent/protocol'
import { execa } from 'execa'
import { namesIn } from '../journal/names-in.js'
import { downloadRelease, publishedVersions, type ReleaseSource } from './release-download.js'
import { TerraformError } from './terraform-error.js'
import { exactVersion, newestFirst, satisfiesConstraint } from './version-constraint.js'

export interface EngineBinary {
  readonly engine: Engine
  readonly version: string
  /** Absolute path of the program. */
  readonly program: string
}

export interface VersionSources {
  /** `--terraform-path`: takes the place of what is on PATH, for either engine as the binary says. */
  readonly terraformPath?: string
  /** The agent's PATH. */
  readonly searchPath: string
  /** Per-version cache, `<dir>/<engine>/<version>/<engine>`. */
  readonly cacheDir: string
  /** False: never download. */
  readonly mayDownload?: boolean
  readonly releases?: ReleaseSource
}

/** Remembers what each binary on the host answered, until the file changes. */
export class Versions {
  private readonly answers = new Map<string, string>()
  private readonly downloads = new Map<string, Promise<void>>()

  constructor(private readonly sources: VersionSources) {}

  /**
   * @param constraint terraform's syntax; absent, empty or null takes what is there
   * @throws TerraformError `terraform_not_found`, `terraform_version_unavailable`, `checksum_mismatch`
   */
  async resolve(engine: Engine, constraint?: string | null, signal?: AbortSignal): Promise<EngineBinary> {
    const wanted = constraint?.trim() ?? ''
    if (satisfiesConstraint('1.0.0', wanted) === undefined) {
      const message = `${JSON.stringify(wanted)} is not a version constraint; write for example "1.9.8" or "~> 1.9".`
      throw new TerraformError('terraform_version_unavailable', message)
    }
    const host = await this.onHost(engine)
    if (host !== undefined && satisfiesConstraint(host.version, wanted) === true) return host
    const cached = (await this.cachedVersions(engine)).find((version) => satisfiesConstraint(version, wanted) === true)
    if (cached !== undefined && (await this.touch(engine, cached))) return this.cached(engine, cached)
    const version = await this.versionToDownload(engine, wanted, host, signal)
    await this.download(engine, version, signal)
    return this.cached(engine, version)
  }

  /** The host's own binary and what it says of itself; undefined when there is none. */
  async onHost(engine: Engine): Promise<EngineBinary | undefined> {
    const program = this.sources.terraformPath ?? (await onPath(engine, this.sources.searchPath))
    if (program === undefined) return undefined
    const version = await this.versionOf(program, engine)
    return version === undefined ? undefined : { engine, version, program }
  }

  private async versionOf(program: string, engine: Engine): Promise<string | undefined> {
    const path = await realpath(program).catch(() => undefined) // configured, but not there: no binary
    if (path === undefined) return undefined
    const { mtimeMs, size } = await stat(path)
    const key = `${engine} ${path} ${mtimeMs} ${size}`
    const known = this.answers.get(key)
    if (known !== undefined) return known
    const answer = await askVersion(program, engine, this.sources.searchPath)
    if (answer !== undefined) this.answers.set(key, answer)
    return answer
  }

  private async cachedVersions(engine: Engine): Promise<string[]> {
    return newestFirst(await namesIn(join(this.sources.cacheDir, engine)))
  }

  /** Marks it as used now, for the janitor; false when it was removed just now. */
  private async touch(engine: Engine, version: string): Promise<boolean> {
    const now = new Date()
    return await utimes(join(this.sources.cacheDir, engine, version), now, now).then(
      () => true,
      (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return false
        throw cause
      },
    )
  }

  private cached(engine: Engine, version: string): EngineBinary {
    return { engine, version, program: join(this.sources.cacheDir, engine, version, engine) }
  }

  private async versionToDownload(
    engine: Engine,
    wanted: string,
    host: EngineBinary | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { mayDownload = true, releases = {} } = this.sources
    const found = host === undefined ? `no ${engine} was found` : `the ${engine} found is ${host.version}`
    const need = wanted === '' ? `any ${engine}` : `${engine} ${wanted}`
    if (!mayDownload) {
      throw new TerraformError('terraform_not_found', `The task needs ${need}: ${found}, and downloads are off.`)
    }
    const exact = exactVersion(wanted)
    if (exact !== undefined) return exact
    const listed = await publishedVersions(releases, engine, signal).catch((cause: Error) => {
      if (host !== undefined || signal?.aborted) throw cause
      const message = `The task needs ${need}: ${found}, and none can be downloaded: ${cause.message}`
      throw new TerraformError('terraform_not_found', message, { cause })
    })
    if (listed === undefined) {
      const advice = 'install one on the agent, or give an exact version, which the agent can download'
      throw new TerraformError('terraform_not_found', `The task needs ${need}: ${found}; ${advice}.`)
    }
    const fitting = newestFirst(listed).find((version) => satisfiesConstraint(version, wanted) === true)
    if (fitting !== undefined) return fitting
    throw new TerraformError('terraform_version_unavailable', `No published ${engine} fulfils "${wanted}".`)
  }

  /** Tasks that want the same version share one download; one that is aborted leaves it to the others. */
  private async download(engine: Engine, version: string, signal: AbortSignal | undefined): Promise<void> {
    const into = join(this.sources.cacheDir, engine, version)
    const running = this.downloads.get(into) ?? this.startDownload(engine, version, into)
    await (signal === undefined ? running : Promise.race([running, abortOf(signal)]))
  }

  private startDownload(engine: Engine, version: string, into: string): Promise<void> {
    const running = downloadRelease(this.sources.releases ?? {}, engine, version, into)
    this.downloads.set(into, running)
    const forget = () => this.downloads.delete(into)
    running.then(forget, forget)
    return running
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

async function onPath(name: string, searchPath: string): Promise<string | undefined> {
  const directories = searchPath.split(delimiter).filter((part) => part.startsWith('/'))
  const found = directories.map(async (directory) => {
    const path = join(directory, name)
    return await access(path, constants.X_OK).then(
      () => path,
      () => undefined, // another directory may have it
    )
  })
  return (await Promise.all(found)).find((path) => path !== undefined)
}

/** Asks the program itself, in its words for people: only they tell the engines apart. Undefined: another engine, or it cannot run. */
async function askVersion(program: string, engine: Engine, searchPath: string): Promise<string | undefined> {
  const answer = await execa(program, ['version'], {
    env: { CHECKPOINT_DISABLE: '1', PATH: searchPath },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 30_000,
  })
  const name = engine === 'tofu' ? 'OpenTofu' : 'Terraform'
  return new RegExp(`^${name} v(\\S+)`, 'm').exec(answer.stdout ?? '')?.[1]
}
