/** Which container engine is there. */
import { Buildah } from './buildah.js'
import { program } from './command.js'
import { Docker } from './docker.js'
import type { Engine } from './engine.js'

/** The first engine that answers; the error says how to get one. */
export async function findEngine(): Promise<Engine> {
  for (const name of ['docker', 'podman'] as const) {
    if ((await program(name, ['info'])).code === 0) return new Docker(name)
  }
  if ((await program('buildah', ['--version'])).code === 0) return new Buildah()
  throw new Error(
    'No container engine answers: install docker, podman or buildah, for example `apt-get install buildah` (as root it needs no daemon).',
  )
}
