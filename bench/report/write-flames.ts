/** The CPU profiles of a bench's programs as flame pictures: of each program the process that worked most. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CpuProfile, flame } from './flame.js'

/** Writes `<directory>/<bench>-<program>-flame.svg` for each program that left profiles below `profiles`. */
export async function writeFlames(directory: string, bench: string, profiles: string, root: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const program of await readdir(profiles)) {
    const names = (await readdir(join(profiles, program))).filter((name) => name.endsWith('.cpuprofile'))
    let busiest: { profile: CpuProfile; samples: number } | undefined
    for (const name of names) {
      const profile = JSON.parse(await readFile(join(profiles, program, name), 'utf8')) as CpuProfile
      const samples = busySamples(profile)
      if (samples > (busiest?.samples ?? 0)) busiest = { profile, samples }
    }
    if (busiest === undefined) continue
    const picture = flame(`${program} in the bench ${bench}`, busiest.profile, root)
    await writeFile(join(directory, `${bench}-${program}-flame.svg`), picture)
  }
}

function busySamples({ nodes, samples }: CpuProfile): number {
  const idle = new Set(nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id))
  return samples.filter((id) => !idle.has(id)).length
}
