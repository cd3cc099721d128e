/** What must be on the machine before anything can be installed, each with one sentence and the way to get it. */
import { spawnSync } from 'node:child_process'

const oldestNode = [20, 19]

/** The sentences for what is missing; empty when all is there. `compiler` is asked for only when native addons must be built. */
export function missingPrerequisites({ compiler }) {
  const missing = []
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    missing.push(
      `Node.js ${oldestNode.join('.')} or newer is needed and this is ${process.versions.node}: get one from https://nodejs.org/en/download.`,
    )
  }
  if (compiler && !(runs('c++') || runs('g++') || runs('clang++'))) {
    missing.push(
      'A C++ compiler is needed to build SQLite and none was found: `apt-get install g++` (or your system’s).',
    )
  }
  if (compiler && !runs('make'))
    missing.push('make is needed to build SQLite and was not found: `apt-get install make`.')
  if (compiler && !runs('python3')) {
    missing.push('python3 is needed to build SQLite and was not found: `apt-get install python3`.')
  }
  if (!runs('terraform')) {
    missing.push('terraform is needed and not on PATH: get it from https://developer.hashicorp.com/terraform/install.')
  }
  return missing
}

function runs(command) {
  const { status } = spawnSync(command, ['--version'], { stdio: 'ignore' })
  return status === 0
}
