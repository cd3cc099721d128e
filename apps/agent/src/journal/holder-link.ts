/**
 * A place that one holder has at a time. Whoever wants it makes a link of its own, `<prefix>.<random>`, that says who it is, then
 * looks around: it holds the place when no other link there is of somebody alive. Of two that see each other both step back, so at
 * most one ever stays; names are never used twice, so removing a dead one's link can hit nobody else.
 */
import { randomUUID } from 'node:crypto'
import { readlink, rm, symlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { namesIn } from './names-in.js'

/** A link and what it says. */
export interface HolderLink {
  readonly path: string
  readonly text: string
}

export type Holding =
  /** `replaced`: what the links of the dead said that were still there. Whoever held the place in between has removed them. */
  | { readonly isOurs: true; readonly path: string; readonly replaced: readonly string[] }
  | { readonly isOurs: false; readonly by: HolderLink }

/** Whether somebody is behind what a link says. */
export type IsHeld = (text: string) => Promise<boolean>

/** Takes the place for `text`, or answers who has it (or is just taking it). Links of the dead are removed. Release it by `rm(path)`. */
export async function holdPlace(prefix: string, text: string, isHeld: IsHeld): Promise<Holding> {
  for (;;) {
    const by = await holderOf(prefix, isHeld)
    if (by !== undefined) return { isOurs: false, by }
    const path = await leaveLink(prefix, text)
    const others = (await linksAt(prefix)).filter((link) => link.path !== path)
    if ((await firstHeld(others, isHeld)) === undefined) {
      for (const dead of others) await rm(dead.path, { force: true })
      return { isOurs: true, path, replaced: others.map(({ text: said }) => said) }
    }
    await rm(path)
  }
}

/** Makes one more link at the place, and answers its path: whether its holder has the place is not looked at. */
export async function leaveLink(prefix: string, text: string): Promise<string> {
  const path = `${prefix}.${randomUUID()}`
  await symlink(text, path)
  return path
}

/** Who has the place; undefined when nobody alive does. */
export async function holderOf(prefix: string, isHeld: IsHeld): Promise<HolderLink | undefined> {
  return await firstHeld(await linksAt(prefix), isHeld)
}

async function firstHeld(links: readonly HolderLink[], isHeld: IsHeld): Promise<HolderLink | undefined> {
  for (const link of links) if (await isHeld(link.text)) return link
  return undefined
}

async function linksAt(prefix: string): Promise<HolderLink[]> {
  const start = `${basename(prefix)}.`
  const names = (await namesIn(dirname(prefix))).filter((name) => name.startsWith(start))
  const links = await Promise.all(names.map((name) => linkAt(`${prefix}.${name.slice(start.length)}`)))
  return links.filter((link) => link !== undefined)
}

/** Undefined when it was removed just now. */
async function linkAt(path: string): Promise<HolderLink | undefined> {
  try {
    return { path, text: await readlink(path) }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}
