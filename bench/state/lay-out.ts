/** Makes the program that stands in for terraform. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '@iac-agent/testkit'

/** Bundles it into `directory` (which exists); answers its path, for `--terraform-path`. */
export async function layOutStateProgram(directory: string): Promise<string> {
  const { build } = await import('esbuild')
  const script = join(directory, 'terraform.mjs')
  await build({
    entryPoints: [join(repositoryRoot(), 'bench/state/program/main.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    logLevel: 'error',
  })
  const program = join(directory, 'terraform')
  // What tells nothing of states is answered by the shell: Node.js takes thrice as long to start as terraform does.
  const answers = `case $1 in init) exit ;; version) echo Terraform v1.11.4; exit ;; esac`
  await writeFile(program, `#!/bin/sh\n${answers}\nexec '${process.execPath}' '${script}' "$@"\n`, { mode: 0o755 })
  return program
}
