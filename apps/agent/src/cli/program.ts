/** The commands of iac-agent. */
import { type Command, createProgram } from '@iac-agent/runtime'
import { addDoctor } from './doctor.js'
import { addDrain } from './drain.js'
import { programVersion } from './program-version.js'
import { addStart } from './start.js'
import { addStatus } from './status.js'
import { addVersion } from './version.js'

export function buildProgram(): Command {
  const program = createProgram({
    name: 'iac-agent',
    description: 'Runs Terraform and OpenTofu tasks of an iac-server on this machine.',
    version: programVersion,
  })
  addStart(program)
  addStatus(program)
  addDrain(program)
  addDoctor(program)
  addVersion(program)
  return program
}
