/** What an apply has done to each resource so far, read off its events. */
import type { ResourceReport } from '@iac-agent/protocol'
import type { TerraformEvent } from './terraform-event.js'

const longestText = 4096

/** Gives a report for each event that moves a resource; remembers when each began. The same events give the same reports. */
export class ResourceProgress {
  private readonly running = new Map<string, { action: string; startedAt: string }>()
  private readonly errored = new Map<string, ResourceReport>()

  report(event: TerraformEvent): ResourceReport | undefined {
    switch (event.type) {
      case 'apply_start':
        return this.start(event)
      case 'apply_complete':
        return this.finish(event, 'complete')
      case 'apply_errored':
        return this.finish(event, 'errored')
      case 'diagnostic':
        return this.explain(event)
      default:
        return undefined
    }
  }

  private start(event: TerraformEvent): ResourceReport | undefined {
    if (event.hook === undefined) return undefined
    const { resource, action = 'read', id_value: id } = event.hook
    const startedAt = timeOf(event)
    this.running.set(resource.addr, { action, startedAt })
    return { address: resource.addr, action, status: 'running', ...idOf(id), started_at: startedAt }
  }

  private finish(event: TerraformEvent, status: 'complete' | 'errored'): ResourceReport | undefined {
    if (event.hook === undefined) return undefined
    const { resource, id_value: id, elapsed_seconds: elapsed = 0 } = event.hook
    const began = this.running.get(resource.addr)
    this.running.delete(resource.addr)
    const finishedAt = timeOf(event)
    const report: ResourceReport = {
      address: resource.addr,
      action: event.hook.action ?? began?.action ?? 'read',
      status,
      ...idOf(id),
      started_at: began?.startedAt ?? new Date(Date.parse(finishedAt) - elapsed * 1000).toISOString(),
      finished_at: finishedAt,
    }
    if (status === 'errored') this.errored.set(resource.addr, report)
    return report
  }

  /** The reason of an error comes after the error, at the end of the run. */
  private explain({ diagnostic }: TerraformEvent): ResourceReport | undefined {
    const report = this.errored.get(diagnostic?.address ?? '')
    if (report === undefined || diagnostic === undefined || diagnostic.severity !== 'error') return undefined
    const text = [diagnostic.summary, diagnostic.detail?.trim()].filter(Boolean).join(': ')
    return { ...report, error: text.slice(0, longestText) }
  }
}

function idOf(id: string | undefined): { id?: string } {
  return id === undefined ? {} : { id: id.slice(0, longestText) }
}

function timeOf(event: TerraformEvent): string {
  const time = Date.parse(event['@timestamp'])
  return Number.isNaN(time) ? event['@timestamp'] : new Date(time).toISOString()
}
