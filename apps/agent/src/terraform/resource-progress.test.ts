import { fits, ResourceReport } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { ResourceProgress } from './resource-progress.js'
import type { TerraformEvent } from './terraform-event.js'

const event = (type: string, second: number, fields: Partial<TerraformEvent> = {}): TerraformEvent => ({
  '@level': 'info',
  '@message': '',
  '@timestamp': `2026-01-01T10:00:0${second}.123456+02:00`,
  type,
  ...fields,
})
const hook = (fields: object = {}) => ({
  hook: { resource: { addr: 'terraform_data.a' }, action: 'create', ...fields },
})

describe('the progress of resources', () => {
  it('tells when each began and ended, in UTC, with its id', () => {
    const progress = new ResourceProgress()
    expect(progress.report(event('apply_start', 1, hook()))).toEqual({
      address: 'terraform_data.a',
      action: 'create',
      status: 'running',
      started_at: '2026-01-01T08:00:01.123Z',
    })
    const done = progress.report(event('apply_complete', 3, hook({ id_value: 'i-1', elapsed_seconds: 2 })))
    expect(done).toEqual({
      address: 'terraform_data.a',
      action: 'create',
      status: 'complete',
      id: 'i-1',
      started_at: '2026-01-01T08:00:01.123Z',
      finished_at: '2026-01-01T08:00:03.123Z',
    })
    expect(fits(ResourceReport, done)).toBe(true)
  })

  it('adds the reason of an error when it comes', () => {
    const progress = new ResourceProgress()
    progress.report(event('apply_start', 1, hook()))
    expect(progress.report(event('apply_errored', 2, hook()))).toMatchObject({ status: 'errored' })
    const diagnostic = { severity: 'error', summary: 'No', detail: 'quota\n', address: 'terraform_data.a' }
    expect(progress.report(event('diagnostic', 2, { diagnostic }))).toMatchObject({
      status: 'errored',
      error: 'No: quota',
    })
  })

  it('knows the beginning from the duration when it was not seen', () => {
    const report = new ResourceProgress().report(event('apply_complete', 9, hook({ elapsed_seconds: 4 })))
    expect(report?.started_at).toBe('2026-01-01T08:00:05.123Z')
  })

  it('has nothing to say about other events', () => {
    const progress = new ResourceProgress()
    expect(progress.report(event('provision_progress', 1, hook()))).toBeUndefined()
    expect(progress.report(event('diagnostic', 1, { diagnostic: { severity: 'error', summary: 'x' } }))).toBeUndefined()
  })
})
