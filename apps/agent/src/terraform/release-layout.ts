/** Where the files of a release lie: pure. */
import type { Engine } from '@iac-agent/protocol'

export interface ReleaseLayout {
  readonly archiveName: string
  readonly archive: string
  readonly checksums: string
  /** JSON with a `versions` object; undefined when the source has none. */
  readonly index: string | undefined
}

const makers: Record<Engine, string> = {
  terraform: 'https://releases.hashicorp.com',
  tofu: 'https://github.com/opentofu/opentofu/releases/download',
}

/** @param baseUrl a mirror in HashiCorp's layout, `<base>/<engine>/<version>/…`; default: the engine's makers */
export function releaseLayout(engine: Engine, version: string, baseUrl?: string, arch = process.arch): ReleaseLayout {
  const base = (baseUrl ?? makers[engine]).replace(/\/+$/, '')
  const isGithub = baseUrl === undefined && engine === 'tofu'
  const folder = isGithub ? `${base}/v${version}` : `${base}/${engine}/${version}`
  const archiveName = `${engine}_${version}_linux_${arch === 'x64' ? 'amd64' : arch}.zip`
  return {
    archiveName,
    archive: `${folder}/${archiveName}`,
    checksums: `${folder}/${engine}_${version}_SHA256SUMS`,
    index: isGithub ? undefined : `${base}/${engine}/index.json`,
  }
}
