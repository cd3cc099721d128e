import { describe, expect, it } from 'vitest'
import { ownVariables, terraformEnvironment } from './environment.js'

const sources = { host: {}, passEnv: [], system: {}, workspace: {}, own: {} }

describe('the environment of terraform', () => {
  it('takes of the host only what is listed', () => {
    const host = {
      PATH: '/bin',
      LC_ALL: 'C',
      https_proxy: 'http://p',
      AWS_SECRET: 's',
      IAC_AGENT_APP_SECRET: 'x',
      EMPTY: undefined,
    }
    expect(terraformEnvironment({ ...sources, host })).toEqual({ PATH: '/bin', LC_ALL: 'C', https_proxy: 'http://p' })
  })

  it('passes what ops name, by name and by glob', () => {
    const host = { AWS_REGION: 'r', AWS: 'no', VAULT_TOKEN: 't', KUBECONFIG: 'k', MY_KUBE: 'no' }
    const passEnv = ['AWS_*', 'VAULT_TOKEN', 'KUBE*']
    expect(terraformEnvironment({ ...sources, host, passEnv })).toEqual({
      AWS_REGION: 'r',
      VAULT_TOKEN: 't',
      KUBECONFIG: 'k',
    })
  })

  it('never passes a reserved name, wherever it comes from', () => {
    const reserved = {
      TF_CLI_ARGS_plan: '-destroy',
      TF_WORKSPACE: 'w',
      TF_DATA_DIR: '/d',
      TF_LOG: 'TRACE',
      LD_PRELOAD: '/x.so',
      IAC_AGENT_APP_SECRET: 's',
      TF_HTTP_ADDRESS: 'http://elsewhere',
    }
    const result = terraformEnvironment({
      host: reserved,
      passEnv: ['*'],
      system: reserved,
      workspace: reserved,
      own: {},
    })
    expect(result).toEqual({})
  })

  it('lets the workspace win over the platform, and the agent over both', () => {
    const result = terraformEnvironment({
      ...sources,
      system: { REGION: 'system', STAGE: 'system' },
      workspace: { REGION: 'workspace', CHECKPOINT_DISABLE: '' },
      own: ownVariables({
        cliConfigFile: '/etc/terraformrc',
        backend: { TF_HTTP_ADDRESS: 'http://127.0.0.1:1/state' },
      }),
    })
    expect(result).toEqual({
      REGION: 'workspace',
      STAGE: 'system',
      TF_IN_AUTOMATION: '1',
      TF_INPUT: '0',
      CHECKPOINT_DISABLE: '1',
      TF_CLI_CONFIG_FILE: '/etc/terraformrc',
      TF_HTTP_ADDRESS: 'http://127.0.0.1:1/state',
    })
  })

  it('leaves out a name no process can have', () => {
    expect(terraformEnvironment({ ...sources, workspace: { 'A=B': 'x', '': 'y', OK: 'z' } })).toEqual({ OK: 'z' })
  })
})
