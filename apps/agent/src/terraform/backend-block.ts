/**
 * Reads a configuration for what the agent must know before terraform does: backend and cloud blocks (our override replaces them
 * silently), uses of `terraform.workspace` (always `default` here), and whether it needs anything that init would bring.
 */
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type HclBlock, type HclStructure, hclStructure } from './hcl-blocks.js'
import { jsonStructure } from './json-structure.js'
import { type ModuleFile, moduleFiles } from './module-files.js'

/** A place in the configuration; `file` is relative to the root module. */
export interface Finding {
  readonly file: string
  readonly line: number
  /** What stands there, e.g. `backend "s3"` or `terraform.workspace`. */
  readonly text: string
}

export interface ConfigurationScan {
  /** Backend and cloud blocks of the root module, the agent's own override left out. */
  readonly backends: readonly Finding[]
  /** In the root module and in the modules it calls by a local path. */
  readonly workspaceReferences: readonly Finding[]
  /** Nothing but what terraform has built in: no module, no provider to install. Then init brings nothing. */
  readonly isBuiltinOnly: boolean
}

/** @param ownFiles names in the root module that the agent wrote: not searched for backends */
export async function scanConfiguration(rootDir: string, ownFiles: readonly string[] = []): Promise<ConfigurationScan> {
  const root = await readModule(rootDir)
  const modules = [...root]
  const seen = new Set([rootDir])
  const waiting = localModules(root)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    const files = await readModule(next)
    modules.push(...files)
    waiting.push(...localModules(files))
  }
  return {
    backends: root.filter(({ file }) => !ownFiles.includes(file.name)).flatMap((file) => backendsIn(file, rootDir)),
    workspaceReferences: modules.flatMap((file) => workspacesIn(file, rootDir)),
    isBuiltinOnly: root.every(({ structure }) => structure.blocks.every(isBuiltin)),
  }
}

interface ReadFile {
  readonly file: ModuleFile
  readonly directory: string
  readonly structure: HclStructure
}

async function readModule(directory: string): Promise<ReadFile[]> {
  const files = moduleFiles(directory)
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(directory, file.name), 'utf8')
      return { file, directory, structure: file.isJson ? jsonStructure(text) : hclStructure(text) }
    }),
  )
}

function localModules(files: readonly ReadFile[]): string[] {
  return files.flatMap(({ directory, structure }) =>
    structure.blocks.flatMap((block) => {
      const source = block.path.join('.') === 'module' ? block.strings.get('source') : undefined
      return source !== undefined && /^\.\.?\//.test(source) ? [join(directory, source)] : []
    }),
  )
}

function backendsIn({ file, directory, structure }: ReadFile, rootDir: string): Finding[] {
  return structure.blocks
    .filter(
      ({ path }) => path.length === 2 && path[0] === 'terraform' && (path[1] === 'backend' || path[1] === 'cloud'),
    )
    .map(({ path, labels, line }) => ({
      file: relative(rootDir, join(directory, file.name)),
      line,
      text: [path[1], ...labels.map((label) => `"${label}"`)].join(' '),
    }))
}

function workspacesIn({ file, directory, structure }: ReadFile, rootDir: string): Finding[] {
  return structure.words
    .filter(({ text }) => text === 'terraform.workspace' || text.startsWith('terraform.workspace.'))
    .map(({ line }) => ({ file: relative(rootDir, join(directory, file.name)), line, text: 'terraform.workspace' }))
}

const harmless = new Set(['terraform', 'variable', 'output', 'locals', 'check', 'import', 'moved', 'removed'])

/** Only what is known to need no installation; a wrong yes is answered by terraform itself, which then asks for init. */
function isBuiltin({ path, labels }: HclBlock): boolean {
  const [outer = '', inner] = path
  const last = path.at(-1) ?? ''
  if (last === 'resource' || last === 'data' || last === 'ephemeral') return /^terraform_/.test(labels[0] ?? '')
  if (outer === 'terraform' && inner === 'required_providers') return false
  if (outer === 'provider') return labels[0] === 'terraform'
  return harmless.has(outer) || path.length > 1
}
