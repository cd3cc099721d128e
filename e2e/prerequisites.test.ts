import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { expect, it } from 'vitest'

it('names terraform and the way to get it when the demo is run without', async () => {
  const { exitCode, stderr } = await withoutTerraform('scripts/demo.mjs')
  expect(stderr).toContain(
    'terraform is needed and not on PATH: get it from https://developer.hashicorp.com/terraform/install.',
  )
  expect(exitCode).toBe(1)
})

it('ends the tests with a count that is not green when they could not begin', async () => {
  const { exitCode, stdout } = await withoutTerraform('scripts/test.mjs')
  const lines = stdout.split('\n')
  expect(lines.at(-2)).toContain('terraform is needed')
  expect(lines.at(-1)).toBe('0 passed, 1 failed')
  expect(exitCode).toBe(1)
})

/** PATH has Node alone; what is installed is up to date, so that no compiler is asked for. */
async function withoutTerraform(script: string) {
  await using directory = await temporaryDirectory('path')
  const bin = join(directory.path, 'bin')
  await mkdir(bin)
  await symlink(process.execPath, join(bin, 'node'))
  return await execa(process.execPath, [join(repositoryRoot(), script)], {
    env: { PATH: bin, HOME: directory.path },
    extendEnv: false,
    reject: false,
  })
}
