/** What our server refused for good is set aside with its reason, for a person; never deleted. */
import { link, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeFileAtomic } from '@iac-agent/runtime'

export interface Refusal {
  item: string
  /** the file that was refused; absent when it was a request without one */
  file?: string | undefined
  /** `content` of a request without a file */
  content?: unknown
  code: string
  message: string
}

/** Links the file into `directory` and writes `<file>.reason.json` beside it; the same again changes nothing. */
export async function setAside(directory: string, refusal: Refusal): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const name = refusal.file === undefined ? refusal.item : `${refusal.item}-${basename(refusal.file)}`
  if (refusal.file !== undefined) await linkOnce(refusal.file, join(directory, name))
  const { code, message, content } = refusal
  const reason = { item: refusal.item, code, message, ...(content === undefined ? {} : { content }) }
  await writeFileAtomic(join(directory, `${name}.reason.json`), `${JSON.stringify(reason, null, 2)}\n`)
}

async function linkOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOENT') return // set aside before; or there is nothing left to keep
    throw cause
  }
}
