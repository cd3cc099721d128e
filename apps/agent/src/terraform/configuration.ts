/** Lays out the configuration of a task in its work directory: the uploaded tree, the workspace's documents, our backend. */
import { lstatSync, realpathSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, normalize, sep } from 'node:path'
import type { TaskData, TfCode } from '@iac-agent/protocol'
import { lastStem, moduleFiles } from './module-files.js'
import { TerraformError } from './terraform-error.js'
import { unpackArchive } from './unpack.js'

export interface ConfigurationRequest {
  /** The claimed and cleaned work directory. */
  readonly workDir: string
  readonly workspace: Pick<TaskData['workspace'], 'tf_code' | 'provider_config' | 'working_directory'>
  readonly resources: TaskData['resources']
  /** The uploaded tree, a tar.gz. */
  readonly archive?: string
}

export interface WrittenConfiguration {
  /** The root module: the current directory of every command. */
  readonly rootDir: string
  /** Names of the files the agent wrote into it, the backend override among them. */
  readonly ownFiles: readonly string[]
}

/**
 * Writes the whole configuration; variables come apart (variables.ts).
 * @throws TerraformError `configuration_invalid` or `configuration_unsafe`
 */
export async function writeConfiguration(request: ConfigurationRequest): Promise<WrittenConfiguration> {
  const { workDir, workspace, resources, archive } = request
  if (archive !== undefined) await unpackArchive({ file: archive, into: workDir, takes: isPartOfConfiguration })
  const rootDir = await rootModule(workDir, workspace.working_directory, archive !== undefined)
  const ownFiles = await writeDocuments(rootDir, [
    { stem: 'workspace', code: workspace.tf_code },
    { stem: 'workspace_providers', code: workspace.provider_config },
    ...resources.map(({ resource_type: type, resource_name: name, current_version }) => ({
      stem: `resource_${type}.${name}`,
      code: resourceDocument(type, name, current_version.tf_code),
    })),
  ])
  ownFiles.push(await writeBackendOverride(rootDir))
  return { rootDir, ownFiles }
}

/** What an upload may carry but a run must not see: state of its own, somebody's `.terraform`, version control. */
function isPartOfConfiguration(path: string): boolean {
  const parts = path.split('/')
  return !parts.some((part) => part === '.git' || part === '.terraform') && !/\.tfstate/.test(parts.at(-1) ?? '')
}

async function rootModule(workDir: string, workingDirectory: string | null, hasTree: boolean): Promise<string> {
  const relative = normalize(workingDirectory ?? '.')
  if (relative.startsWith('/') || relative.split('/').includes('..')) {
    throw new TerraformError(
      'configuration_unsafe',
      `The working directory ${JSON.stringify(workingDirectory)} is not inside the configuration.`,
    )
  }
  const rootDir = join(workDir, relative)
  if (!hasTree) await mkdir(rootDir, { recursive: true, mode: 0o700 })
  const [real, realWorkDir] = [realDirectory(rootDir, workingDirectory), realpathSync(workDir)]
  if (real !== realWorkDir && !real.startsWith(realWorkDir + sep)) {
    throw new TerraformError(
      'configuration_unsafe',
      `The working directory ${JSON.stringify(workingDirectory)} leads out of the configuration by a link.`,
    )
  }
  if (!lstatSync(real).isDirectory()) throw noWorkingDirectory(workingDirectory)
  // Without a trailing slash and without the links on the way: a plan is bound to this text.
  return real === realWorkDir ? workDir : join(workDir, real.slice(realWorkDir.length))
}

/** It was just written, or held: no disk is waited for. */
function realDirectory(path: string, workingDirectory: string | null): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    throw noWorkingDirectory(workingDirectory, cause)
  }
}

function noWorkingDirectory(name: string | null, cause?: unknown): TerraformError {
  const message = `The configuration has no directory ${JSON.stringify(name)}, which the workspace names as working_directory.`
  return new TerraformError('configuration_invalid', message, { cause })
}

/** A document without a top-level resource, data or module is the body of `type.name`. */
function resourceDocument(type: string, name: string, code: TfCode): TfCode {
  if (code === null || typeof code === 'string') return code
  const isWhole = ['resource', 'data', 'module'].some((key) => key in code)
  return isWhole ? code : { resource: { [type]: { [name]: code } } }
}

/** Files that are open at once at most. */
const atOnce = 16

/** Answers the names of those that were written. */
async function writeDocuments(rootDir: string, documents: { stem: string; code: TfCode }[]): Promise<string[]> {
  const names: (string | undefined)[] = []
  for (let at = 0; at < documents.length; at += atOnce) {
    const some = documents.slice(at, at + atOnce)
    names.push(...(await Promise.all(some.map(({ stem, code }) => writeDocument(rootDir, stem, code)))))
  }
  return names.filter((name) => name !== undefined)
}

/** Writes `<stem>.tf.json`, or `<stem>.tf` for HCL text; answers the name, undefined when there is nothing to write. */
async function writeDocument(rootDir: string, stem: string, code: TfCode): Promise<string | undefined> {
  if (code === null || (typeof code === 'string' && code.trim() === '')) return undefined
  if (typeof code === 'object' && Object.keys(code).length === 0) return undefined
  const safeStem = stem.replace(/[^\p{L}\p{N}._-]/gu, '_')
  const name = typeof code === 'string' ? `${safeStem}.tf` : `${safeStem}.tf.json`
  // Terraform refuses a byte order mark in JSON and needs none in HCL.
  await writeNew(rootDir, name, typeof code === 'string' ? code.replace(/^\ufeff/, '') : JSON.stringify(code, null, 2))
  return name
}

/** Replaces whatever backend or cloud block there is. Overrides are merged by name: ours must be the last. */
async function writeBackendOverride(rootDir: string): Promise<string> {
  const overrides = moduleFiles(rootDir)
    .filter((file) => file.isOverride)
    .map((file) => file.name)
  const name = `${lastStem('zz', overrides)}_override.tf.json`
  await writeNew(rootDir, name, JSON.stringify({ terraform: { backend: { http: {} } } }))
  return name
}

async function writeNew(rootDir: string, name: string, content: string): Promise<void> {
  try {
    await writeFile(join(rootDir, name), content, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    const message = `The uploaded configuration has a file ${name}, the name the agent gives to the workspace's own code: rename it.`
    throw new TerraformError('configuration_invalid', message, { cause })
  }
}
