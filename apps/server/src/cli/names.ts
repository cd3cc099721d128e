/** Names given on the command line, held to the API's rule. */
import { fits, Name } from '@iac-agent/protocol'
import { CommandError, ExitCode } from '@iac-agent/runtime'

export function parseName(name: string): string {
  if (fits(Name, name)) return name
  const rule = 'letters, digits, dot, dash and underscore, the first a letter or digit, at most 128'
  throw new CommandError(`${JSON.stringify(name)} is not a name: ${rule}`, ExitCode.usage)
}
