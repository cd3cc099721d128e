/** What an apply began to create and how each creation ended, read off its raw events. */
import { type OutputRange, outputLines } from './output-reading.js'
import { parseEvent } from './terraform-event.js'

export interface Creation {
  /** As terraform prints it: it can stand in a configuration as it is. */
  readonly address: string
  readonly module: string
  readonly type: string
  readonly name: string
  /** Of `count` and `for_each`. */
  readonly key: string | number | null
  /** Undefined: terraform said nothing more of it. */
  end: 'complete' | 'errored' | undefined
  /** The object's `id`; undefined when it is not known, is none, or is sensitive in the provider's schema. */
  id: string | undefined
}

const openingBrace = 0x7b

/** In the order they began. Not redacted. */
export async function readCreations(range: OutputRange): Promise<Creation[]> {
  const creations = new Map<string, Creation>()
  const take = (line: Buffer) => {
    if (line[0] !== openingBrace || !line.includes('"action":"create"') || !line.includes('"type":"apply_')) return
    const event = parseEvent(line.toString())
    if (event?.hook?.action !== 'create') return
    const { resource, id_key: idKey, id_value: id } = event.hook
    const known = creations.get(resource.addr)
    switch (event.type) {
      case 'apply_start':
        creations.set(resource.addr, begun(resource))
        return
      case 'apply_complete':
        Object.assign(known ?? {}, { end: 'complete', id: idKey === 'id' && id !== '' ? id : undefined })
        return
      case 'apply_errored':
        Object.assign(known ?? {}, { end: 'errored' })
    }
  }
  for await (const lines of outputLines(range)) lines.forEach(take)
  return [...creations.values()]
}

type EventResource = NonNullable<NonNullable<ReturnType<typeof parseEvent>>['hook']>['resource']

function begun({ addr, module, resource_type, resource_name, resource_key }: EventResource): Creation {
  return {
    address: addr,
    module: module ?? '',
    type: resource_type ?? '',
    name: resource_name ?? '',
    key: resource_key ?? null,
    end: undefined,
    id: undefined,
  }
}
