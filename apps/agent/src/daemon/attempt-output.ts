/** The raw output of an attempt: how its lines become text, and when it is whole. */
import { first } from '../journal/attempt-facts.js'
import type { Journal } from '../journal/journal.js'
import type { ProgressWriter } from '../tasks/progress-writer.js'
import { renderCutLine, renderJsonLine } from '../terraform/render-event.js'

/** The line as people read it; init's lines pass as they are. */
export function renderApplyLine(
  progress: ProgressWriter,
  line: string,
  at: number,
  isCut: boolean,
): string | undefined {
  if (isCut) return renderCutLine(line)
  if (!line.startsWith('{"@level":')) return undefined
  progress.take(line, at)
  return renderJsonLine(line) ?? ''
}

/** Resolves with the length of the raw output once nothing is added to it any more. */
export function outputClosed(journal: Journal): Promise<number> {
  const closed = first(journal.facts, 'outputClosed')
  if (closed) return Promise.resolve(closed.sizeBytes)
  return new Promise((resolve) => {
    const stop = journal.watch((fact) => {
      if (fact.fact !== 'outputClosed') return
      stop()
      resolve(fact.sizeBytes)
    })
  })
}
