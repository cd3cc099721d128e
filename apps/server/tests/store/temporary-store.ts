/** A data directory for one test, removed with it, and the store in it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/store/sqlite.js'
import type { Store } from '../../src/store/store.js'

export interface TemporaryDataDir extends AsyncDisposable {
  readonly path: string
}

export async function temporaryDataDir(): Promise<TemporaryDataDir> {
  const path = await mkdtemp(join(tmpdir(), 'iac-store-'))
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
    },
  }
}

export interface TemporaryStore extends AsyncDisposable {
  readonly dataDir: string
  readonly store: Store
}

export async function temporaryStore(): Promise<TemporaryStore> {
  const dir = await temporaryDataDir()
  const store = await openSqliteStore({ dataDir: dir.path })
  return {
    dataDir: dir.path,
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await dir[Symbol.asyncDispose]()
    },
  }
}
