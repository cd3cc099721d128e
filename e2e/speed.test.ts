import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

let rig: Rig
const thousand = 'resource "terraform_data" "many" {\n count = 1000\n input = count.index\n}\n'

beforeAll(async () => {
  rig = await Rig.start()
  await rig.addAgent()
})
afterAll(async () => await rig[Symbol.asyncDispose]())

it('takes 1,000 resources from create to applied in less time than bare terraform does', async () => {
  await rig.apply(await rig.workspace('resource "terraform_data" "warm" {}'))
  const bareMs = await timed(bareTerraform)
  const workspace = await rig.workspace(thousand, { auto_apply: true })
  const oursMs = await timed(async () => {
    const id = await rig.queue(workspace, 'plan_and_apply')
    await rig.reached(id, 'applied', { everyMs: 10 })
  })
  console.log(
    '1,000 resources: bare terraform',
    Math.round(bareMs),
    'ms; through server and agent',
    Math.round(oursMs),
    'ms',
  )
  expect((await rig.addresses(workspace)).length).toBe(1)
  expect(oursMs).toBeLessThan(bareMs)
})

/** init, plan to a file and apply of that file, with the local backend. */
async function bareTerraform(): Promise<void> {
  await using directory = await temporaryDirectory('bare')
  await writeFile(join(directory.path, 'main.tf'), thousand)
  const env = { PATH: process.env.PATH ?? '', HOME: directory.path, CHECKPOINT_DISABLE: '1' }
  const terraform = (...args: string[]) =>
    execa('terraform', args, { cwd: directory.path, env, extendEnv: false, stdin: 'ignore', stdout: 'ignore' })
  await terraform('init', '-input=false')
  await terraform('plan', '-input=false', '-out=plan.bin')
  await terraform('apply', '-input=false', 'plan.bin')
  expect(await readFile(join(directory.path, 'terraform.tfstate'), 'utf8')).toContain('"many"')
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await body()
  return performance.now() - from
}
