/** Which resource instances a state holds, read as a stream: states of hundreds of megabytes are ordinary here. */
import { createReadStream } from 'node:fs'
import { type JsonPath, JsonScalars } from './json-scalars.js'

/** One object of a managed resource; a deposed one is told like the current one. */
export interface RecordedInstance {
  /** As terraform writes it; empty for the root module. */
  readonly module: string
  readonly type: string
  readonly name: string
  /** Of `count` and `for_each`. */
  readonly key: string | number | null
  readonly id: string | undefined
}

/** Told in the order of the file. Rejects when the file cannot be read, or is no JSON. */
export async function readInstances(path: string, take: (instance: RecordedInstance) => void): Promise<void> {
  const collector = new Collector(take)
  const scalars = new JsonScalars(collector)
  for await (const chunk of createReadStream(path, { highWaterMark: readBytes })) scalars.push(chunk as Buffer)
  collector.end()
}

const readBytes = 256 * 1024

interface Instance {
  key: string | number | null
  id: string | undefined
}

/** Holds one resource at a time: where its names stand among its members is not for us to say. */
class Collector {
  readonly deepest = 6
  #resource: string | number | undefined
  #names = new Map<string, unknown>()
  #instances: Instance[] = []

  constructor(private readonly tell: (instance: RecordedInstance) => void) {}

  /** `resources.n.type`; `resources.n.instances.m.index_key` (and its fellows, to know of each m); `….m.attributes.id`. */
  wants(path: JsonPath): boolean {
    if (path[0] !== 'resources') return false
    if (path.length === 3) return true
    if (path[2] !== 'instances') return false
    return path.length === 5 || (path.length === 6 && path[4] === 'attributes' && path[5] === 'id')
  }

  take(path: JsonPath, value: unknown): void {
    const [, resource, member, index, field] = path
    if (resource !== this.#resource) this.end()
    this.#resource = resource
    if (path.length === 3) this.#names.set(String(member), value)
    else {
      const instance = this.#at(Number(index))
      if (path.length === 6) instance.id = value === null ? undefined : String(value)
      else if (field === 'index_key') instance.key = value as Instance['key']
    }
  }

  end(): void {
    const text = (name: string) => String(this.#names.get(name) ?? '')
    const isManaged = text('mode') === 'managed'
    for (const { key, id } of isManaged ? this.#instances : []) {
      this.tell({ module: text('module'), type: text('type'), name: text('name'), key, id })
    }
    this.#names = new Map()
    this.#instances = []
  }

  #at(index: number): Instance {
    this.#instances[index] ??= { key: null, id: undefined }
    return this.#instances[index]
  }
}
