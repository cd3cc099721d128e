/** The test provider's cloud: one JSON file per object in a directory, so that tests can count what really exists. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One object as the cloud keeps it; `ready` is false while it is being created. */
export interface CloudObject {
  id: string
  name: string
  content: string | null
  createdAt: string
  ready: boolean
}

/** The objects of one directory. */
export class Cloud {
  constructor(readonly directory: string) {}

  /** The object exists from here on, whatever becomes of the caller. */
  async begin(name: string, content: string | null): Promise<CloudObject> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 })
    const object = {
      id: randomBytes(6).toString('hex'),
      name,
      content,
      createdAt: new Date().toISOString(),
      ready: false,
    }
    await this.put(object)
    return object
  }

  async put(object: CloudObject): Promise<void> {
    await writeFile(this.#file(object.id), `${JSON.stringify(object)}\n`, { mode: 0o600 })
  }

  /** Null when somebody deleted it. */
  async find(id: string): Promise<CloudObject | null> {
    try {
      return JSON.parse(await readFile(this.#file(id), 'utf8')) as CloudObject
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null // deleted outside terraform: an answer
      throw error
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.#file(id), { force: true })
  }

  #file(id: string): string {
    return join(this.directory, `${id}.json`)
  }
}
