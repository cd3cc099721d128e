/** What the test provider does when terraform calls it: plan, create slowly, fail, crash, change, read, import and delete objects of a Cloud. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as elapsed } from 'node:timers/promises'
import { Cloud, type CloudObject } from './cloud.js'
import { decode, encode, unknown, type Value } from './msgpack.js'
import { objectAttributes, providerSchema } from './schema.js'

interface DynamicValue {
  msgpack?: Buffer
  json?: Buffer
}
const holdEveryMs = 20

type Attributes = { [key: string]: Value }

const failed = (summary: string) => ({ diagnostics: [{ severity: 'ERROR', summary, detail: '' }] })

/** One provider process: configured once, then called concurrently by terraform. */
export class CloudProvider {
  #cloud: Cloud | undefined
  readonly #stop = new AbortController()

  getSchema() {
    return providerSchema
  }

  prepareProviderConfig(request: { config: DynamicValue }) {
    return { prepared_config: request.config }
  }

  /** Terraform checks types by the schema; there is nothing else to refuse. */
  validateResourceTypeConfig() {
    return {}
  }

  async configure(request: { config: DynamicValue }) {
    const { directory, hold_file: holdFile } = read(request.config) ?? {}
    if (typeof directory !== 'string') return failed('the provider needs a directory')
    while (typeof holdFile === 'string' && existsSync(holdFile)) await elapsed(holdEveryMs)
    this.#cloud = new Cloud(directory)
    return {}
  }

  upgradeResourceState(request: { raw_state: { json: Buffer } }) {
    return { upgraded_state: { json: request.raw_state.json } }
  }

  async readResource(request: { current_state: DynamicValue }) {
    const state = read(request.current_state)
    const object = state && (await this.#clouds().find(String(state.id)))
    return { new_state: write(state && object ? { ...state, content: object.content } : null) }
  }

  async planResourceChange(request: { prior_state: DynamicValue; proposed_new_state: DynamicValue }) {
    const prior = read(request.prior_state)
    const proposed = read(request.proposed_new_state)
    if (!proposed) return { planned_state: write(null) }
    await elapsed(Number(proposed.plan_delay_ms ?? 0))
    if (typeof proposed.plan_file === 'string') await writeFile(proposed.plan_file, plannedWords(proposed))
    const isReplaced = prior !== null && prior.name !== proposed.name
    const isNew = prior === null || isReplaced
    return {
      planned_state: write(isNew ? { ...proposed, id: unknown, created_at: unknown } : proposed),
      requires_replace: isReplaced ? [{ steps: [{ attribute_name: 'name' }] }] : [],
    }
  }

  async applyResourceChange(request: { prior_state: DynamicValue; planned_state: DynamicValue }) {
    const prior = read(request.prior_state)
    const planned = read(request.planned_state)
    if (!planned) return this.#delete(prior ?? {})
    return prior ? this.#change(prior, planned) : this.#create(planned)
  }

  /** Takes up an object as it is in the cloud, half-made ones too; an id that is not there is an error. */
  async importResourceState({ type_name, id }: { type_name: string; id: string }) {
    const object = await this.#clouds().find(id)
    if (!object) return failed(`there is no object ${id} to import`)
    const { name, content } = object
    return { imported_resources: [{ type_name, state: write(stateOf({ ...noAttributes, name, content }, object)) }] }
  }

  stop() {
    this.#stop.abort()
    return {}
  }

  async #create(planned: Attributes) {
    if (!(await this.#findsPlannedFile(planned))) {
      return { ...failed(`${String(planned.plan_file)} is not what planning wrote`), new_state: write(null) }
    }
    const object = await this.#clouds().begin(String(planned.name), textOrNull(planned.content))
    if (planned.crash === true) process.exit(86)
    const isFinished = await this.#delay(planned)
    if (!isFinished) return { ...failed('stopped while creating'), new_state: write(null) }
    if (typeof planned.fail_create === 'string') {
      return { ...failed(planned.fail_create), new_state: write(null) }
    }
    await this.#clouds().put({ ...object, ready: true })
    return { new_state: write(stateOf(planned, object)) }
  }

  async #change(prior: Attributes, planned: Attributes) {
    const object = await this.#clouds().find(String(prior.id))
    if (!object) return { ...failed(`object ${String(prior.id)} is gone`), new_state: write(prior) }
    if (!(await this.#delay(planned))) return { ...failed('stopped while changing'), new_state: write(prior) }
    await this.#clouds().put({ ...object, content: textOrNull(planned.content) })
    return { new_state: write(stateOf(planned, object)) }
  }

  async #delete(prior: Attributes) {
    if (!(await this.#delay(prior))) return { ...failed('stopped while deleting'), new_state: write(prior) }
    if (typeof prior.fail_destroy === 'string') {
      return { ...failed(prior.fail_destroy), new_state: write(prior) }
    }
    await this.#clouds().remove(String(prior.id))
    return { new_state: write(null) }
  }

  async #findsPlannedFile(planned: Attributes): Promise<boolean> {
    if (typeof planned.plan_file !== 'string') return true
    const text = await readFile(planned.plan_file, 'utf8').catch(() => undefined) // missing: that is the answer
    return text === plannedWords(planned)
  }

  /** True when the whole delay passed; false when terraform asked to stop and this object listens to that. */
  async #delay(attributes: Attributes): Promise<boolean> {
    const delayMs = Number(attributes.delay_ms ?? 0)
    if (attributes.on_stop !== 'abort') return elapsed(delayMs, true)
    if (this.#stop.signal.aborted) return false
    return elapsed(delayMs, true, { signal: this.#stop.signal }).catch(() => false) // the one way it rejects is the stop
  }

  #clouds(): Cloud {
    if (!this.#cloud) throw new Error('the provider is not configured')
    return this.#cloud
  }
}

const noAttributes: Attributes = Object.fromEntries(objectAttributes.map(({ name }) => [name, null]))

function plannedWords(attributes: Attributes): string {
  return `planned ${String(attributes.name)}\n`
}

function stateOf(planned: Attributes, object: CloudObject): Attributes {
  return { ...planned, id: object.id, created_at: object.createdAt }
}

function textOrNull(value: Value | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function read(value: DynamicValue): Attributes | null {
  const decoded = value.msgpack?.length ? decode(value.msgpack) : JSON.parse(String(value.json))
  return decoded as Attributes | null
}

function write(attributes: Attributes | null): DynamicValue {
  return { msgpack: encode(attributes) }
}
