/** What the test provider offers to a configuration: its settings and the one resource `cloud_object`. */

/** As the protocol spells it; `type` is JSON text. */
export interface Attribute {
  name: string
  type: Buffer
  required?: boolean
  optional?: boolean
  computed?: boolean
}

const providerAttributes: readonly Attribute[] = [
  required('directory', 'string'),
  optional('hold_file', 'string'), // as long as it exists, terraform is not served
]

/** Of `cloud_object`. */
export const objectAttributes: readonly Attribute[] = [
  computed('id'),
  computed('created_at'),
  required('name', 'string'), // another name is another object
  optional('content', 'string'),
  optional('delay_ms', 'number'), // how long creating, changing and deleting take
  optional('plan_delay_ms', 'number'), // how long planning takes
  optional('plan_file', 'string'), // planning writes this file, creating reads it: it must still be there with the same words
  optional('fail_create', 'string'), // fails with this sentence after the delay; the object is kept in the cloud
  optional('fail_destroy', 'string'),
  optional('crash', 'bool'), // the provider process ends in the middle of the creation
  optional('on_stop', 'string'), // "abort": an interrupted terraform gets an error at once and the object is orphaned
]

/** As terraform asks for it, before anything else. */
export const providerSchema = {
  provider: { version: 0, block: { version: 0, attributes: providerAttributes } },
  resource_schemas: {
    cloud_object: {
      version: 0,
      block: {
        version: 0,
        attributes: objectAttributes,
      },
    },
  },
}

function required(name: string, type: string): Attribute {
  return { name, type: Buffer.from(JSON.stringify(type)), required: true }
}

function optional(name: string, type: string): Attribute {
  return { name, type: Buffer.from(JSON.stringify(type)), optional: true }
}

function computed(name: string): Attribute {
  return { name, type: Buffer.from('"string"'), computed: true }
}
