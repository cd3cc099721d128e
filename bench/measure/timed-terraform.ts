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

export interface Spawn {
  /** Epoch milliseconds, with fractions. */
  readonly at: number
  /** `init`, `plan` or `show`. */
  readonly command: string
  readonly workspaceId: string
}

const planJson = '{"format_version":"1.2","resource_changes":[]}'

/** @param options.planSeconds how long each plan takes: it waits, and costs nothing meanwhile */
export async function layOutTimedTerraform(
  directory: string,
  { planSeconds = 0 }: { planSeconds?: number } = {},
): Promise<TimedTerraform> {
  const path = join(directory, 'terraform')
  const spawnsFile = join(directory, 'spawns')
  const nothing = join(directory, 'nothing')
  await execa('mkfifo', [nothing])
  await writeFile(spawnsFile, '')
  await writeFile(path, script({ spawnsFile, nothing, planSeconds }), { mode: 0o755 })
  return { path, spawns: async () => (await readFile(spawnsFile, 'utf8')).split('\n').slice(0, -1).map(spawnOf) }
}

function script(of: { spawnsFile: string; nothing: string; planSeconds: number }): string {
  const wait = of.planSeconds === 0 ? '' : `read -rt ${of.planSeconds} <>'${of.nothing}'`
  return `#!/bin/bash
[ "$1" = version ] && exec echo 'Terraform v1.11.4'
echo "$EPOCHREALTIME $1 $PWD" >>'${of.spawnsFile}'
case $1 in
  plan) for one; do [[ $one = -out=* ]] && echo plan >"\${one#-out=}"; done; ${wait} ;;
  show) echo '${planJson}' ;;
esac
exit 0
`
}

function spawnOf(line: string): Spawn {
  const [at = '', command = '', directory = ''] = line.split(' ')
  return { at: Number(at.replace(',', '.')) * 1000, command, workspaceId: basename(directory) }
}
