/** Bundles every program whose entry is there; names what it left out. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, programs, root } from './bundle.mjs'

const named = process.argv.slice(2)
const wanted = Object.entries(programs).filter(([name]) => named.length === 0 || named.includes(name))
const [built, missing] = [[], []]
for (const [name, program] of wanted) {
  ;(existsSync(join(root, program.folder, program.entry)) ? built : missing).push([name, program])
}
await Promise.all(built.map(([, program]) => bundle(program)))
console.error(`build: ${built.map(([name]) => name).join(', ') || 'nothing'}`)
if (missing.length > 0) {
  console.error(`build: no entry yet for ${missing.map(([, p]) => join(p.folder, p.entry)).join(', ')}`)
}
