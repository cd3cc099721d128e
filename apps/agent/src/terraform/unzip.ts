/** Takes one file out of a zip archive, streaming. */
import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Entry, ZipFile } from 'yauzl'
import { TerraformError } from './terraform-error.js'

/** @throws TerraformError `terraform_version_unavailable` when `archive` is no zip file or has no file `name` at its top */
export async function unzipFile(archive: string, name: string, target: string): Promise<void> {
  const zip = await openZip(archive).catch((cause: unknown) => {
    throw new TerraformError('terraform_version_unavailable', `The downloaded ${name} is not a zip archive.`, { cause })
  })
  try {
    const entry = await findEntry(zip, name)
    if (entry === undefined) {
      throw new TerraformError('terraform_version_unavailable', `The downloaded archive has no file ${name}.`)
    }
    await pipeline(await openEntry(zip, entry), createWriteStream(target, { mode: 0o700, flush: true }))
  } finally {
    zip.close()
  }
}

async function openZip(path: string): Promise<ZipFile> {
  const { default: yauzl } = await import('yauzl') // CommonJS: in a bundle it has no other export
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)))
  })
}

function findEntry(zip: ZipFile, name: string): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    zip.on('error', reject)
    zip.on('end', () => resolve(undefined))
    zip.on('entry', (entry: Entry) => (entry.fileName === name ? resolve(entry) : zip.readEntry()))
    zip.readEntry()
  })
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)))
  })
}
