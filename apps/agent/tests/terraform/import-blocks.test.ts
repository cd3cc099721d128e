import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { importBlock } from '@iac-agent/protocol'
import { temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { type RecordedInstance, readInstances } from '../../src/state/recorded-instances.js'
import { instanceOf } from '../../src/tasks/unrecorded-resources.js'
import { readCreations } from '../../src/terraform/creations.js'

const dollar = '$'
const odd = [
  `${dollar}{x}`,
  `${dollar}${dollar}{y}`,
  '%{if}',
  'a"b\\c',
  'two\nlines\ttab',
  'é \u2028\u0001',
  '100% $5',
  '../a.b["c"]',
]

/** Odd keys in modules and resources, `count`, and none. */
const configuration = {
  'main.tf.json': JSON.stringify({
    module: { m: { source: './m', for_each: ofSet(odd) } },
    resource: { terraform_data: { counted: { count: 2 }, plain: {} } },
  }),
  'm/main.tf.json': JSON.stringify({ resource: { terraform_data: { keyed: { for_each: ofSet(odd) } } } }),
}

it('name the same instances as the state, and are taken by terraform with ids of any text', async () => {
  await using first = await workDirectory()
  const { stdout } = await first.terraform('apply', '-json', '-auto-approve')
  const output = join(first.path, 'output')
  await writeFile(output, stdout)
  const creations = await readCreations({ path: output })
  const recorded = await instancesIn(first.path)
  expect(creations).toHaveLength(odd.length ** 2 + 3)
  const ofState = new Map(recorded.map((instance) => [instanceOf(instance), instance.id]))
  expect(new Map(creations.map((creation) => [instanceOf(creation), creation.id]))).toEqual(ofState)

  await using second = await workDirectory()
  const ids = new Map(creations.map((creation, n) => [instanceOf(creation), odd[n] ?? `id-${n}`]))
  const blocks = creations.map((creation) => importBlock(creation.address, ids.get(instanceOf(creation)) ?? ''))
  await writeFile(join(second.path, 'imports.tf'), blocks.join('\n'))
  const plan = await second.terraform('plan', '-no-color', '-out=tfplan')
  expect(plan.stdout).toContain(`Plan: ${creations.length} to import, 0 to add, 0 to change, 0 to destroy.`)
  await second.terraform('apply', 'tfplan')
  const imported = await instancesIn(second.path)
  expect(new Map(imported.map((instance) => [instanceOf(instance), instance.id]))).toEqual(ids)
})

async function workDirectory() {
  const directory = await temporaryDirectory('imports')
  const terraform = (...args: string[]) =>
    execa('terraform', args, { cwd: directory.path, env: { TF_IN_AUTOMATION: '1' }, stdin: 'ignore' })
  await mkdir(join(directory.path, 'm'))
  for (const [path, text] of Object.entries(configuration)) await writeFile(join(directory.path, path), text)
  await terraform('init', '-input=false')
  return { ...directory, terraform }
}

async function instancesIn(directory: string): Promise<RecordedInstance[]> {
  const instances: RecordedInstance[] = []
  await readInstances(join(directory, 'terraform.tfstate'), (instance) => instances.push(instance))
  return instances
}

/** As JSON configuration says it: each string is a template, so what looks like one is doubled. */
function ofSet(keys: string[]): string {
  const literals = keys.map((key) => JSON.stringify(key).replace(/([$%])(?=\{)/g, '$1$1'))
  return `${dollar}{toset([${literals.join(', ')}])}`
}
