/** A terraform that runs until it is killed: it tells each interrupt in terraform's words and does not end by it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const script = `#!/bin/sh
hang() {
  trap 'n=$((n + 1)); [ $n = 1 ] && echo "Interrupt received" || echo "Two interrupts received: $n"' INT
  echo "hangs $$"
  while :; do sleep 0.05; done
}
case "$1" in
  version) echo 'Terraform v1.11.4' ;;
  show) echo '{"format_version":"1.2","applyable":true,"resource_changes":[{"address":"a.b","mode":"managed","type":"a","name":"b","provider_name":"p","change":{"actions":["create"],"before":null,"after":{},"after_unknown":{}}}]}' ;;
  plan)
    for argument; do
      case "$argument" in -out=*) echo plan >"\${argument#-out=}" ;; esac
    done
    grep -q quick *.tf || hang ;;
  apply) hang ;;
esac
`

/** Writes the program into `directory`; give it as `--terraform-path`. A module that says "quick" is planned at once. */
export async function layOutStubbornTerraform(directory: string): Promise<string> {
  const path = join(directory, 'terraform')
  await writeFile(path, script, { mode: 0o755 })
  return path
}
