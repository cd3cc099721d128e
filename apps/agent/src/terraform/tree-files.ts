/** Walks a work directory without what terraform keeps for itself. */
import { opendir } from 'node:fs/promises'
import { join } from 'node:path'

/** Files and links under `root` by name, `.terraform/` left out, links not followed. */
export async function* treeFiles(root: string): AsyncGenerator<string> {
  const entries = []
  for await (const entry of await opendir(root)) entries.push(entry)
  entries.sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(root, entry.name)
    if (!entry.isDirectory()) yield path
    else if (entry.name !== '.terraform') yield* treeFiles(path)
  }
}
