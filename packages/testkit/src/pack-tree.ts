/** A directory as the tar.gz that PUT /workspaces/:id/configuration takes. */
import { create } from 'tar'

/** Everything in the directory, dot files included, with paths relative to it. */
export async function packTree(directory: string): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of create({ cwd: directory, gzip: true, portable: true }, ['.'])) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
