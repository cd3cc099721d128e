import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makePrivateDirectory, writeFileAtomic } from './atomic-file.js'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'iac-atomic-'))
})
afterEach(() => rm(dir, { recursive: true }))

describe('an atomic file', () => {
  it('is replaced whole, readable by its owner alone, with nothing left beside it', async () => {
    const path = join(dir, 'a')
    await writeFileAtomic(path, 'one')
    await chmod(path, 0o644)
    await writeFileAtomic(path, 'two')
    expect(await readFile(path, 'utf8')).toBe('two')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(dir)).toEqual(['a'])
  })

  it('that cannot be put in place leaves what was there, and no rest', async () => {
    const path = join(dir, 'folder')
    await mkdir(path)
    await expect(writeFileAtomic(path, 'x')).rejects.toMatchObject({ code: 'EISDIR' })
    expect(await readdir(dir)).toEqual(['folder'])
  })
})

describe('a private directory', () => {
  it('is made with its parents for this user alone; one that exists keeps its mode', async () => {
    const path = join(dir, 'a', 'b')
    await makePrivateDirectory(path)
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    await chmod(path, 0o750)
    await makePrivateDirectory(path)
    expect((await stat(path)).mode & 0o777).toBe(0o750)
  })
})
