import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ReleaseMirror, releaseArch, startReleaseMirror } from '@iac-agent/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Rig } from './rig.js'

/** A release that says it is there, and is the host's terraform otherwise. */
const release = '#!/bin/sh\necho "release of the mirror" >&2\nexec terraform "$@"\n'
const code = 'resource "terraform_data" "one" {}'

let rig: Rig
let mirror: ReleaseMirror
beforeAll(async () => {
  rig = await Rig.start()
  mirror = await startReleaseMirror()
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await mirror[Symbol.asyncDispose]()
})

it('downloads the version a workspace asks for, once, and runs it', async () => {
  mirror.publish('terraform', '1.99.1', release)
  await rig.addAgent({ args: ['--terraform-releases-url', mirror.baseUrl] })
  for (const _ of ['first', 'second']) {
    const workspace = await rig.workspace(code, { terraform_version: '1.99.1' })
    const task = await rig.reached(await rig.queue(workspace, 'plan'), 'success')
    expect(await rig.log(task.id, 'plan')).toContain('release of the mirror')
    expect(task).toMatchObject({ changes_add: 1 })
  }
  expect(mirror.asked.filter((path) => path.endsWith('.zip'))).toHaveLength(1)
})

it('runs nothing of a release whose checksum is another, and keeps none of it', async () => {
  mirror.publish('terraform', '1.99.2', release, {
    sums: `${'0'.repeat(64)}  terraform_1.99.2_linux_${releaseArch}.zip\n`,
  })
  const agent = await rig.addAgent({
    name: 'wary',
    args: ['--terraform-releases-url', mirror.baseUrl, '--labels', 'wary=yes'],
  })
  const workspace = await rig.workspace(code, { terraform_version: '1.99.2', labels: { wary: 'yes' } })
  const task = await rig.reached(await rig.queue(workspace, 'plan'), 'failed')
  expect(task).toMatchObject({ error_code: 'checksum_mismatch' })
  expect(task.error_message).toContain('it is not used')
  expect(await rig.log(task.id, 'plan')).not.toContain('release of the mirror')
  expect(await readdir(join(agent.dataDir, 'versions', 'terraform'))).toEqual([])
})
