/** A terraform that does to its host what the module says: holds memory, is silent, is killed, burns CPU time, leaves a daemon. It ends at an interrupt. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const script = `#!/bin/sh
says() { grep -q "^#.* $1\\b" *.tf; }
linger() { # interruptible; with "talk" a word each moment
  trap 'echo "Interrupt received"; kill $child 2>/dev/null; says stubborn || exit 1' INT
  echo "runs $$"
  while :; do
    says talk && echo word
    sleep 0.1
  done
}
misbehave() {
  child=
  if says hog; then
    '${process.execPath}' -e 'globalThis.held = Buffer.alloc(150 * 1024 * 1024, 1); setInterval(() => {}, 1000)' &
    child=$!
    linger
  fi
  if says peaks; then
    '${process.execPath}' -e 'globalThis.held = Buffer.alloc(150 * 1024 * 1024, 1); console.log("holds", process.pid); setInterval(() => {}, 1000)'
  fi
  if says silent || says stubborn; then linger; fi
  if says killed; then echo "kills itself"; sleep 0.3; kill -9 $$; fi
  if says busy; then '${process.execPath}' -e 'while (process.cpuUsage().user < 500_000) for (let i = 0; i < 1e6; i++);'; echo 'was busy'; fi
  if says waits; then sleep 2; fi
  if says daemon; then setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo "daemon $!"; fi
}
case "$1" in
  version) echo 'Terraform v1.11.4' ;;
  show) echo '{"format_version":"1.2","applyable":true,"resource_changes":[{"address":"a.b","mode":"managed","type":"a","name":"b","provider_name":"p","change":{"actions":["create"],"before":null,"after":{},"after_unknown":{}}}]}' ;;
  plan)
    for argument; do
      case "$argument" in -out=*) echo plan >"\${argument#-out=}" ;; esac
    done
    says apply || misbehave ;;
  apply) misbehave ;;
esac
`

/**
 * Writes the program into `directory`; give it as `--terraform-path`. Comments of the module are its orders: `# hog` (150 MiB), `# peaks` (the same, until its holder is killed), `# silent`,
 * `# talk`, `# stubborn` (silent, and does not end),
 * `# killed`, `# busy` (0.5 s of CPU time), `# waits` (2 s), `# daemon`; with `# apply` it obeys while applying instead of while planning.
 */
export async function layOutMisbehavingTerraform(directory: string): Promise<string> {
  const path = join(directory, 'terraform')
  await writeFile(path, script, { mode: 0o755 })
  return path
}
