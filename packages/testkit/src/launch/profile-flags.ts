/** Lets whoever runs a bench look into the programs it starts. */
import { join } from 'node:path'

/** Node flags for a launched program: with IAC_PROFILE_DIR set, it writes a CPU profile into `<that>/<program>/` when it ends. */
export function profileFlags(program: 'server' | 'agent'): string[] {
  const directory = process.env.IAC_PROFILE_DIR
  return directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(directory, program)}`]
}
