/** How a program of this repository becomes one ESM file plus chunks for what it loads on first use. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** `external` stays an installed package: native addons, and packages that serve files of their own folder. */
export const programs = {
  server: {
    folder: 'apps/server',
    entry: 'src/main.ts',
    out: 'main',
    external: ['better-sqlite3', 'zlib-sync', '@fastify/swagger-ui'],
  },
  agent: { folder: 'apps/agent', entry: 'src/main.ts', out: 'main', external: [] },
  demo: { folder: 'demo', entry: 'main.ts', out: 'main', external: ['esbuild'] },
  chaos: { folder: 'e2e', entry: 'chaos/main.ts', out: 'chaos', external: ['esbuild'] },
  bench: { folder: 'bench', entry: 'main.ts', out: 'bench', external: ['esbuild', 'better-sqlite3'] },
}

/** CommonJS packages inside an ESM bundle still ask for these three. */
const banner = [
  "import { createRequire as __createRequire } from 'node:module'",
  "import { fileURLToPath as __toPath } from 'node:url'",
  'const require = __createRequire(import.meta.url)',
  'const __filename = __toPath(import.meta.url)',
  "const __dirname = __toPath(new URL('.', import.meta.url))",
].join('\n')

/** Writes the bundle into `outdir`; files of an earlier build stay, since a running program may yet load its chunks. */
export async function bundle({ folder, entry, out, external }, outdir = join(root, folder, 'dist')) {
  const { version } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
  return await build({
    absWorkingDir: root,
    metafile: true,
    entryPoints: { [out]: join(root, folder, entry) },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[name]-[hash]',
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    external: [...external, 'bufferutil', 'utf-8-validate'],
    loader: { '.sh': 'text', '.proto': 'text' },
    define: { __IAC_VERSION__: JSON.stringify(version) },
    banner: { js: banner },
    legalComments: 'none',
    logLevel: 'warning',
  })
}
