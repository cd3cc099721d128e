/** Fills the emptied work directory with the task's configuration and variables, and refuses what would go wrong silently. */

import type { TaskData } from '@iac-agent/protocol'
import { crashPoint } from '../../journal/crash-points.js'
import { type ConfigurationScan, type Finding, scanConfiguration } from '../../terraform/backend-block.js'
import { writeConfiguration } from '../../terraform/configuration.js'
import { writeVariables } from '../../terraform/variables.js'
import { allEnded } from '../all-ended.js'
import type { Attempt } from '../attempt.js'
import { StepFailure } from '../step-failure.js'
import { ensureBackend } from '../terraform-tools.js'

export async function prepareStep(attempt: Attempt): Promise<void> {
  await allEnded([writeAndJudge(attempt), ensureBackend(attempt)])
}

async function writeAndJudge(attempt: Attempt): Promise<void> {
  const { journal, layout, work } = attempt.parts
  const data = await attempt.data()
  const { workspace } = data
  await work.clean(workspace.working_directory ?? undefined)
  const { rootDir, ownFiles } = await writeConfiguration({
    workDir: work.path,
    workspace,
    resources: data.resources,
    ...(data.configuration ? { archive: layout.configuration } : {}),
  })
  await writeVariables(rootDir, data.variables)
  // Of what was written only the override, which comes last, is ours; the rest is the workspace's and may name a backend.
  const scan = await scanConfiguration(rootDir, ownFiles.slice(-1))
  // What is applied was judged when it was planned.
  if (attempt.offered.action === 'plan') await judge(attempt, data, scan)
  crashPoint('prepare.written')
  await journal.append({ fact: 'prepared', rootDirectory: rootDir, isBuiltinOnly: scan.isBuiltinOnly })
  crashPoint('prepare.recorded')
}

async function judge(attempt: Attempt, { workspace, state_version }: TaskData, scan: ConfigurationScan): Promise<void> {
  const backend = scan.backends[0]
  if (backend && state_version === undefined && !workspace.accept_empty_state) throw stateNotImported(backend)
  const reference = scan.workspaceReferences[0]
  if (!reference) return
  const text = `${placeOf(reference)} refers to terraform.workspace, which is always "default" here`
  if (workspace.auto_apply) {
    throw new StepFailure(
      'cli_workspace_used',
      `${text}; take the reference out, or turn auto_apply off to look at the plan first.`,
    )
  }
  await attempt.note(`Warning: ${text}.`)
}

function stateNotImported(backend: Finding): StepFailure {
  return new StepFailure(
    'state_not_imported',
    `${placeOf(backend)} names a backend of its own, whose state this workspace does not have yet: import the state ` +
      '(POST /workspaces/:id/state), or set accept_empty_state on the workspace to begin without one.',
  )
}

function placeOf({ file, line }: Finding): string {
  return `${file} line ${line}`
}
