import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { renderJsonLine } from '../../src/terraform/render-event.js'

const configuration = `
  resource "terraform_data" "a" {
    input = { name = "x", list = [1, 2] }
    provisioner "local-exec" {
      command = "echo one; echo two"
    }
  }
  output "text" { value = "a \\"quoted\\" \\t text with é and \${terraform_data.a.output.name}" }
  output "lines" { value = "one\\ntwo\\n" }
  output "number" { value = 12345678901234567890 }
  output "small" { value = 0.0000001 }
  output "flag" { value = true }
  output "nothing" { value = null }
  output "typed_nothing" { value = { a = tostring(null), b = tobool(null) } }
  output "hidden" {
    value     = "hush"
    sensitive = true
  }
  output "list" { value = tolist(["a", "b"]) }
  output "set" { value = toset(["b", "a"]) }
  output "map" { value = tomap({ "10" = "x", "9" = "y\\nEOT\\nz" }) }
  output "nested" { value = { list = [[], {}], inner = { text = "p\\nq", maps = tolist([tomap({ k = 1 })]) } } }
  output "data" { value = terraform_data.a.output }
`
const broken = `
  variable "limit" { default = 3 }
  resource "terraform_data" "b" {
    input = "fixed"
    lifecycle {
      postcondition {
        condition     = self.output == "never\${var.limit}"
        error_message = "It is not what it should be."
      }
    }
  }
`

/** What terraform prints for people, and our text of what it prints as events, of the same apply. */
async function applyTwice(code: string): Promise<{ theirs: string[]; ours: string[] }> {
  await using directory = await temporaryDirectory('apply-text')
  const terraform = async (cwd: string, ...args: string[]) =>
    (
      await execa('terraform', args, {
        cwd,
        all: true,
        reject: false,
        env: { TF_CLI_CONFIG_FILE: '/dev/null', TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' },
      })
    ).all ?? ''
  const apply = async (name: string, ...how: string[]) => {
    const cwd = join(directory.path, name)
    await mkdir(cwd)
    await writeFile(join(cwd, 'main.tf'), code)
    await terraform(cwd, 'init')
    await terraform(cwd, 'plan', '-out=plan')
    return (await terraform(cwd, 'apply', '-input=false', ...how, 'plan')).split('\n')
  }
  const theirs = await apply('people', '-no-color')
  const events = await apply('events', '-json')
  const ours = events.flatMap((line) => renderJsonLine(line) ?? line).filter((text) => text !== '')
  return { theirs, ours: ours.join('\n').split('\n') }
}

/** Ids and durations differ from run to run. */
const withoutChance = (lines: string[]) =>
  lines
    .map((line) =>
      line
        .replace(/id=[\w-]+/g, 'id=…')
        .replace(/after \d+s/g, 'after …s')
        .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '…')
        .trimEnd(),
    )
    .join('\n')
    .trim()

it('shows an apply in the words terraform has for people', async () => {
  const { theirs, ours } = await applyTwice(configuration)
  expect(withoutChance(ours)).toBe(withoutChance(theirs))
})

it('shows an error in the words terraform has for people', async () => {
  const { theirs, ours } = await applyTwice(broken)
  expect(withoutChance(ours)).toBe(withoutChance(theirs))
})
