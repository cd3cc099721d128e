/** Lays out a terraform that does what a configuration's script says and keeps an oracle of it: fault runs by the thousand. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { terraformVersion } from './fake-terraform/events.js'
import { repositoryRoot } from './repository-root.js'

/** Bundles the fake into `directory` (which exists); answers the program, for `--terraform-path`. */
export async function layOutFakeTerraform(directory: string, options: { oracleFile?: string } = {}): Promise<string> {
  const { build } = await import('esbuild')
  const script = join(directory, 'fake-terraform.cjs')
  await build({
    entryPoints: [join(repositoryRoot(), 'packages/testkit/src/fake-terraform/main.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    logLevel: 'error',
  })
  const program = join(directory, 'terraform')
  await writeFile(program, front(script, options.oracleFile ?? '/dev/null'), { mode: 0o755 })
  return program
}

/**
 * The real terraform is for configurations without a script, so that one agent runs both: of it the oracle has the begin of an apply
 * alone. `show` is the plan's second line.
 */
function front(script: string, oracleFile: string): string {
  return `#!/bin/sh
if ! grep -qs '^# fake: ' ./*.tf; then
  real=$(command -v terraform) && {
    if [ "$1" = apply ]; then
      for plan; do :; done
      attempt=\${plan%/*}
      printf '{"at":%s,"pid":%s,"attempt":"%s","kind":"begin","workspace":"%s","command":"apply"}\\n' \\
        "$(date +%s%3N)" $$ "\${attempt##*/}" "\${PWD##*/}" >>${quote(oracleFile)}
    fi
    exec "$real" "$@"
  }
  [ "$1" = version ] && exec echo 'Terraform v${terraformVersion}'
fi
if [ "$1" = show ]; then
  for plan; do :; done
  exec sed 1d "$plan"
fi
FAKE_TERRAFORM_ORACLE=${quote(oracleFile)} exec ${quote(process.execPath)} ${quote(script)} "$@"
`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
