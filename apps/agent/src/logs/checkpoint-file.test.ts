import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Checkpoint, CheckpointFile } from './checkpoint-file.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoint-'))
})
afterEach(() => rm(folder, { recursive: true }))

const checkpoint = (spoolBytes: number): Checkpoint => ({
  spoolBytes,
  position: { rawOffset: spoolBytes, isMidLine: false, redactor: { held: 'aGFsZg==', covered: [], isInSecret: false } },
  isEnded: false,
})

const synced = () => Promise.resolve()

describe('the checkpoint file', () => {
  it('stays short over any number of checkpoints and keeps the last', async () => {
    const path = join(folder, 'ck')
    {
      const { file } = await CheckpointFile.open(path)
      await using _ = file
      for (let bytes = 1; bytes <= 700; bytes++) await file.append(checkpoint(bytes), synced)
    }
    expect((await stat(path)).size).toBeLessThan(64 * 1024)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const { file, checkpoints } = await CheckpointFile.open(path)
    await using _ = file
    expect(checkpoints.at(-1)).toEqual(checkpoint(700))
  })

  it('takes the line before one that a crash tore, and writes over it', async () => {
    const path = join(folder, 'ck')
    {
      const { file } = await CheckpointFile.open(path)
      await using _ = file
      await file.append(checkpoint(1), synced)
    }
    await appendFile(path, '{"spoolBytes":2,"posit')
    {
      const { file, checkpoints } = await CheckpointFile.open(path)
      await using _ = file
      expect(checkpoints).toEqual([checkpoint(1)])
      await file.append(checkpoint(3), synced)
    }
    const { file, checkpoints } = await CheckpointFile.open(path)
    await using _ = file
    expect(checkpoints).toEqual([checkpoint(1), checkpoint(3)])
  })
})
