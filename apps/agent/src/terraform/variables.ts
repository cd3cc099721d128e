/** Terraform variables as files only the agent's user can read: never on a command line, never in an environment. */
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataVariable } from '@iac-agent/protocol'
import { lastStem } from './module-files.js'
import { TerraformError } from './terraform-error.js'

/**
 * Writes the workspace's terraform variables into the root module (0600): strings as JSON, taken literally; HCL values as
 * expressions. Files of that kind are read by name, the last one wins: ours come last. Answers the names written. An apply
 * needs them again: ephemeral variables are not in a plan.
 */
export async function writeVariables(rootDir: string, variables: readonly DataVariable[]): Promise<string[]> {
  const terraform = variables.filter(({ category }) => category === 'terraform')
  for (const { key } of terraform) checkName(key)
  const literal = terraform.filter(({ hcl }) => !hcl)
  const expressions = terraform.filter(({ hcl }) => hcl)
  const present = readdirSync(rootDir).filter((name) => /\.auto\.tfvars(\.json)?$/.test(name))
  const stem = lastStem('zz_workspace', present)
  const files: [string, string][] = []
  if (literal.length > 0) {
    files.push([`${stem}.auto.tfvars.json`, JSON.stringify(Object.fromEntries(literal.map((v) => [v.key, v.value])))])
  }
  if (expressions.length > 0) files.push([`${stem}.auto.tfvars`, expressions.map(assignment).join('')])
  for (const [name, content] of files) await writeFile(join(rootDir, name), content, { mode: 0o600, flag: 'wx' })
  return files.map(([name]) => name)
}

function checkName(key: string): void {
  if (/^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(key)) return
  throw new TerraformError(
    'configuration_invalid',
    `${JSON.stringify(key)} is not a name a terraform variable can have.`,
  )
}

/** In brackets an expression may go over lines, and cannot end early and begin another assignment unnoticed. */
function assignment({ key, value }: DataVariable): string {
  return `${key} = (\n${value}\n)\n`
}
