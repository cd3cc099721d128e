import { join } from 'node:path'
import type { Phase } from '@iac-agent/protocol'
import {
  fakeConfiguration,
  layOutFakeTerraform,
  printedText,
  readOracle,
  type TemporaryDirectory,
  temporaryDirectory,
} from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

const secret = 'correct horse battery staple'

let rig: Rig
let home: TemporaryDirectory
let oracleFile: string

beforeAll(async () => {
  rig = await Rig.start()
  home = await temporaryDirectory('fake-terraform')
  oracleFile = join(home.path, 'oracle.jsonl')
  const program = await layOutFakeTerraform(home.path, { oracleFile })
  await rig.addAgent({ args: ['--terraform-path', program] })
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

it('stores of a fake run exactly what its oracle says', async () => {
  const workspace = await rig.workspace(fakeConfiguration({ lines: 50, resources: 3, secret: true }))
  await rig.setVariable(workspace, 'secret', secret, { sensitive: true })
  const task = await rig.apply(workspace)
  expect(task).toMatchObject({ changes_add: 3, changes_change: 0, changes_destroy: 0, error_code: null })
  const records = await readOracle(oracleFile)
  const log = async (phase: Phase) => await rig.log(task.id, phase)
  expect(await log('plan')).toBe(printedText(records, `${task.id}-1`))
  expect(await log('apply')).toBe(printedText(records, `${task.id}-2`))
  expect(await log('apply')).toContain('token=[redacted] ')
  expect(await log('apply')).not.toContain('horse')
})
