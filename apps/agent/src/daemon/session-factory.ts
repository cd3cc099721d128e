/** Builds the session of an attempt: its work directory is claimed here, before the offer is accepted. */
import type { Logger } from '@iac-agent/runtime'
import type { LiveChannel } from '../delivery/log-lane.js'
import { first, has } from '../journal/attempt-facts.js'
import type { Ballast } from '../journal/ballast.js'
import type { Journal } from '../journal/journal.js'
import { type AttemptLayout, workLayout } from '../journal/layout.js'
import { RemoteDataAccessor } from '../server-api/remote-data-accessor.js'
import type { ServerRequest } from '../server-api/request.js'
import type { Retry } from '../server-api/retry.js'
import { needsWorkDirectory } from '../tasks/next-step.js'
import type { TerraformTools } from '../tasks/terraform-tools.js'
import { TerraformError } from '../terraform/terraform-error.js'
import { claimWorkDirectory, type WorkDirectory } from '../terraform/work-directory.js'
import { AttemptSession } from './attempt-session.js'
import type { KeptAttempts } from './kept-attempts.js'

export interface SessionParts {
  tools: TerraformTools
  request: ServerRequest
  retry: Retry
  live: LiveChannel
  leaving: AbortSignal
  kept: KeptAttempts
  ballast: Ballast
  log: Logger
}

export class SessionFactory {
  constructor(private readonly parts: SessionParts) {}

  /** @throws TerraformError `work_directory_busy` */
  async open(layout: AttemptLayout, journal: Journal): Promise<AttemptSession> {
    const { workRoot, workspaceId } = offeredIn(journal)
    return this.#build(layout, journal, await claimWorkDirectory(workLayout(workRoot, workspaceId), layout))
  }

  /** For an attempt that was accepted by a former process: one whose work directory is gone still ends and is delivered. */
  async reopen(layout: AttemptLayout, journal: Journal): Promise<AttemptSession> {
    const { workRoot, workspaceId } = offeredIn(journal)
    const { directory } = workLayout(workRoot, workspaceId)
    if (has(journal.facts, 'released')) return this.#build(layout, journal, nobodysDirectory(directory))
    try {
      const work = await claimWorkDirectory(workLayout(workRoot, workspaceId), layout)
      if (work.isUntouched || !needsWorkDirectory(journal.facts)) return this.#build(layout, journal, work)
      await work.release()
      throw new TerraformError(
        'work_directory_busy',
        `The work directory ${directory} is not as this attempt left it: another one used it, or it is gone.`,
      )
    } catch (error) {
      if (!(error instanceof TerraformError) || error.code !== 'work_directory_busy') throw error
      await journal.append({ fact: 'failed', code: error.code, message: error.message })
      return this.#build(layout, journal, nobodysDirectory(directory))
    }
  }

  #build(layout: AttemptLayout, journal: Journal, work: WorkDirectory): AttemptSession {
    const { tools, request, retry, live, leaving, kept, ballast, log } = this.parts
    const { taskId, attempt, leaseToken } = offeredIn(journal)
    const accessor = new RemoteDataAccessor(request, { taskId, leaseToken }, leaving)
    const child = log.child({ task_id: taskId, attempt })
    const parts = { layout, journal, accessor, retry, work, ballast, log: child, leaving }
    return new AttemptSession(parts, tools, live, kept)
  }
}

function offeredIn(journal: Journal) {
  const offered = first(journal.facts, 'offered')
  if (!offered) throw new Error('the journal does not begin with an offer')
  return offered
}

/** Stands for a directory that is not ours (any more): nothing in it is touched. */
function nobodysDirectory(path: string): WorkDirectory {
  const nothing = async () => undefined
  return { path, isUntouched: false, clean: nothing, release: nothing, handBack: nothing }
}
