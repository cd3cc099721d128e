/** The licence texts of every package inside a bundle, as their licences ask of whoever hands them on. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './bundle.mjs'

/** `metafile` is esbuild's list of the files that went in. */
export async function thirdPartyLicenses(metafile) {
  const folders = new Set()
  for (const input of Object.keys(metafile.inputs)) {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
    if (folder !== undefined) folders.add(folder)
  }
  const texts = await Promise.all([...folders].map((folder) => licenceOf(join(root, folder))))
  return `${texts.sort().join(`\n${'-'.repeat(80)}\n`)}`
}

async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8')
  return `${name} ${version} (${license})\n\n${text.trim()}\n`
}
