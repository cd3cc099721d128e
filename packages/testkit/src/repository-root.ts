/** Where this checkout is: the bins, the examples and the provider's sources are found from there. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The nearest directory above this file that holds pnpm-workspace.yaml; works from the sources and from a bundle. */
export function repositoryRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'pnpm-workspace.yaml'))) {
    const above = dirname(directory)
    if (above === directory)
      throw new Error('testkit runs inside a checkout of iac-agent: no pnpm-workspace.yaml above it')
    directory = above
  }
  return directory
}
