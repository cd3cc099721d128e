import { describe, expect, it } from 'vitest'
import { initArguments, planArguments, planMode } from './commands.js'

const planFile = '/a/plan.tfplan'

describe('the arguments of terraform', () => {
  it('plan destruction and drift by mode', () => {
    expect(planArguments({ planFile, mode: planMode('destroy') })).toContain('-destroy')
    expect(planArguments({ planFile, mode: planMode('drift_check') })).toContain('-refresh-only')
    expect(planArguments({ planFile, mode: planMode('plan_and_apply') })).toEqual([
      'plan',
      '-input=false',
      '-no-color',
      '-out=/a/plan.tfplan',
    ])
  })

  it('carry targets and replacements, each as one word', () => {
    const addresses = { targets: ['module.m["a b"]'], replace: ['terraform_data.x[0]'] }
    const words = planArguments({ planFile, mode: 'plan', refresh: false, ...addresses })
    expect(words.slice(-3)).toEqual(['-refresh=false', '-target=module.m["a b"]', '-replace=terraform_data.x[0]'])
  })

  it('leave out what terraform refuses in a mode', () => {
    const words = planArguments({ planFile, mode: 'refresh_only', refresh: false, replace: ['terraform_data.x'] })
    expect(words.filter((word) => /replace|refresh=/.test(word))).toEqual([])
  })

  it('hold the lock file fast where a plan is applied elsewhere', () => {
    expect(initArguments({ lockfileReadonly: true })).toContain('-lockfile=readonly')
    expect(initArguments()).not.toContain('-lockfile=readonly')
  })
})
