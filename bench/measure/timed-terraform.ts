/** A terraform whose first act is to write down when it began: bash, since a Node-based one costs 50 ms of CPU and would measure Node. */
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { execa } from 'execa'

export interface TimedTerraform {
  /** For `--terraform-path`. */
  readonly path: string
  /** What began so far, oldest first. */
  spawns(): Promise<Spawn[]>
}

interface Spawn {
  /** Epoch milliseconds, with fractions. */
  readonly at: number
  /** `init`, `plan` or `show`. */
  readonly command: string
  readonly workspaceId: string
}

const planJson = '{"format_version":"1.2","resource_changes":[]}'

/** @param options.initSeconds how long each init takes: it waits, as one that downloads, and costs nothing meanwhile */
export async function layOutTimedTerraform(
  directory: string,
  { initSeconds = 0 }: { initSeconds?: number } = {},
): Promise<TimedTerraform> {
  const path = join(directory, 'terraform')
  const spawnsFile = join(directory, 'spawns')
  const nothing = join(directory, 'nothing')
  await execa('mkfifo', [nothing])
  await writeFile(spawnsFile, '')
  await writeFile(path, script({ spawnsFile, nothing, initSeconds }), { mode: 0o755 })
  return { path, spawns: async () => (await readFile(spawnsFile, 'utf8')).split('\n').slice(0, -1).map(spawnOf) }
}

function script(of: { spawnsFile: string; nothing: string; initSeconds: number }): string {
  const wait = of.initSeconds === 0 ? ':' : `read -rt ${of.initSeconds} <>'${of.nothing}'`
  return `#!/bin/bash
[ "$1" = version ] && exec echo 'Terraform v1.11.4'
echo "$EPOCHREALTIME $1 $PWD" >>'${of.spawnsFile}'
case $1 in
  init) ${wait} ;;
  plan) for one; do [[ $one = -out=* ]] && echo plan >"\${one#-out=}"; done ;;
  show) echo '${planJson}' ;;
esac
exit 0
`
}

function spawnOf(line: string): Spawn {
  const [at = '', command = '', directory = ''] = line.split(' ')
  return { at: Number(at.replace(',', '.')) * 1000, command, workspaceId: basename(directory) }
}
