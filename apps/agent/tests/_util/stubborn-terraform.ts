/** A terraform that runs until it is killed: it tells each interrupt in its output and does not end by it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const script = `#!/bin/sh
hang() {
  trap 'n=$((n + 1)); echo "interrupt $n"' INT
  echo "stubborn $$"
  while :; do sleep 0.05; done
}
case "$1" in
  version) echo 'Terraform v1.11.4' ;;
  show) echo '{"format_version":"1.2","applyable":true,"resource_changes":[{"address":"a.b","change":{"actions":["create"]}}]}' ;;
  plan)
    for argument; do
      case "$argument" in -out=*) echo plan >"$(echo "$argument" | cut -c6-)" ;; esac
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
