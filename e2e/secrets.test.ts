import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { eventually, type RunningAgent } from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
let agent: RunningAgent

beforeAll(async () => {
  rig = await Rig.start()
  agent = await rig.addAgent()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

/** 20 values: plain, multi-line, with quotes, backslashes and angle brackets (which JSON escapes), long ones that span chunk borders. */
const secrets = Array.from({ length: 20 }, (_, i) => {
  const word = `S${i}-${(i + 11) ** 7}-hidden`
  switch (i % 5) {
    case 0:
      return word
    case 1:
      return `-----BEGIN KEY-----\nline-one-of-${word}\nline-two-of-${word}\n-----END KEY-----`
    case 2:
      return `"${word}" and \\back\\slash`
    case 3:
      return `<${word}>&'more'\t|`
    default:
      return `${word}-`.repeat(400)
  }
})

it('keeps 20 sensitive values out of every stored log and out of the API, however they are printed', async () => {
  const variables = secrets.map((_, i) => `variable "s${i}" {}`).join('\n')
  const all = `[${secrets.map((_, i) => `var.s${i}`).join(', ')}]`
  const workspace = await rig.workspace(`${variables}
    locals { all = ${all} }
    resource "terraform_data" "shown" { input = local.all }
    resource "terraform_data" "printed" {
      count = 40
      provisioner "local-exec" {
        command     = "printf '%s\\\\n' \\"$SECRET\\"; printf '%s\\\\n' \\"$AS_JSON\\"; printf '%s' \\"$SECRET\\" | base64 -w 0; echo"
        environment = {
          SECRET  = local.all[count.index % 20]
          AS_JSON = jsonencode({ value = local.all[count.index % 20] })
        }
      }
    }`)
  for (const [i, value] of secrets.entries()) await rig.setVariable(workspace, `s${i}`, value, { sensitive: true })
  const id = await rig.queue(workspace, 'plan_and_apply')
  await rig.reached(id, 'apply_pending')
  await rig.confirm(id)
  const task = await rig.reached(id, 'applied')

  const plan = await rig.log(id, 'plan')
  const apply = await rig.log(id, 'apply')
  expect(plan).toContain('[redacted]')
  expect(apply.match(/\[redacted\]/g)?.length).toBeGreaterThan(80)
  const { items } = await rig.client.variables.list({ params: { id: workspace }, query: { limit: 200 } })
  const changes = await rig.client.tasks.resourceChanges({ params: { id } })
  const planJson = await (await rig.client.tasks.planJson({ params: { id } })).text()
  expectNoSecret({
    plan,
    apply,
    task: JSON.stringify(task),
    variables: JSON.stringify(items),
    changes: JSON.stringify(changes),
    planJson,
  })
  expect(items.map(({ value }) => value)).toEqual(secrets.map(() => null))
  expectNoSecret({ serverLog: rig.server.child.log.text })
})

it('leaves secrets in the kept states and plans alone, where terraform put them, once the task is over', async () => {
  const isStateOrPlan = (path: string) => /^attempts\/\d+-\d+\/(states\/|plan\.tar\.gz$)/.test(path)
  await noSecretInFiles((path) => !isStateOrPlan(path))
})

it('leaves no file of an agent with a secret in it when the agent is to keep nothing', async () => {
  await agent.stop()
  await agent.start({ args: ['--keep-attempts', '0'] })
  await noSecretInFiles(() => true)
  await agent.stop()
})

async function noSecretInFiles(isLookedAt: (path: string) => boolean): Promise<void> {
  const look = async () => {
    const entries = await readdir(agent.dataDir, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const looked = files.filter((file) => isLookedAt(relative(agent.dataDir, file)))
    const texts = await Promise.all(looked.map(async (file) => [file, await readFile(file, 'latin1')] as const))
    expect(texts.length).toBeGreaterThan(0)
    expectNoSecret(Object.fromEntries(texts))
    return true
  }
  await eventually('the attempts are delivered and cleared', look, { timeoutMs: 10_000 })
}

/** Every line of every value that is long enough to tell anything. */
function expectNoSecret(texts: Record<string, string>): void {
  const words = secrets.flatMap((secret) => secret.match(/S\d+-\d+-hidden/g) ?? [])
  const base64 = secrets.map((secret) => Buffer.from(secret).toString('base64').slice(0, 32))
  const found = Object.entries(texts).flatMap(([name, text]) =>
    [...new Set([...words, ...base64])].filter((word) => text.includes(word)).map((word) => `${word} in ${name}`),
  )
  expect(found).toEqual([])
}
