import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProgram } from './program.js'
import type { SecretSource } from './secret.js'
import { durationMs, labels, list } from './setting-parsers.js'
import {
  addSettingFlags,
  defineSettings,
  needSetting,
  SettingError,
  secretSetting,
  setting,
  switchSetting,
} from './settings.js'
import { resolveSettings, unknownVariables } from './settings-resolve.js'

const settings = defineSettings('IAC_TEST', {
  leaseTtl: setting({ flag: 'lease-ttl', value: 'duration', parse: durationMs(), default: '60s', help: 'ttl' }),
  name: setting({ flag: 'name', value: 'name', parse: (text) => text, help: 'name' }),
  tags: setting({ flag: 'tags', value: 'a,b', parse: list, default: '', help: 'tags' }),
  labels: setting({ flag: 'labels', value: 'k=v', parse: labels, default: '', help: 'labels' }),
  insecure: switchSetting({ flag: 'insecure', help: 'insecure' }),
  key: secretSetting({ flag: 'app-key', help: 'key' }),
})

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'iac-settings-'))
})
afterAll(() => rm(dir, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text)
  return join(dir, name)
}

/** Through commander, as a program does. */
function flagsOf(...argv: string[]): Record<string, unknown> {
  const command = addSettingFlags(createProgram({ name: 'x', description: 'x', version: '0' }), settings)
  return command.parse(argv, { from: 'user' }).opts()
}

describe('a setting', () => {
  it('comes from the flag before the environment before the file before the default', async () => {
    const config = await file('order.yaml', 'lease-ttl: 3s\nname: yaml\n')
    const env = { IAC_TEST_LEASE_TTL: '2s' }
    const ttl = async (flags: Record<string, unknown>, variables: NodeJS.ProcessEnv) =>
      (await resolveSettings(settings, { flags, env: variables })).leaseTtl
    expect(await ttl(flagsOf('--lease-ttl', '1s', '--config', config), env)).toBe(1000)
    expect(await ttl(flagsOf('--config', config), env)).toBe(2000)
    expect(await ttl({}, { IAC_TEST_CONFIG: config })).toBe(3000)
    expect(await ttl({}, {})).toBe(60_000)
  })

  it('is undefined without value and default, and then named when it is needed', async () => {
    const { name } = await resolveSettings(settings, { flags: {}, env: {} })
    expect(name).toBeUndefined()
    expect(() => needSetting(settings, 'name', name)).toThrow(
      '--name: is needed; it may also be given as IAC_TEST_NAME or by name in --config',
    )
  })

  it('that is wrong is named with its source', async () => {
    const config = await file('wrong.yaml', 'lease_ttl: soon\n')
    const fail = (sources: { flags?: object; env?: NodeJS.ProcessEnv }) =>
      expect(resolveSettings(settings, { flags: { ...sources.flags }, env: { ...sources.env } })).rejects
    const why = '"soon" is not a duration such as 500ms, 10s, 5m or 24h'
    await fail({ flags: flagsOf('--lease-ttl', 'soon') }).toThrow(`--lease-ttl: ${why}`)
    await fail({ env: { IAC_TEST_LEASE_TTL: 'soon' } }).toThrow(`IAC_TEST_LEASE_TTL: ${why}`)
    await fail({ flags: { config } }).toThrow(`lease-ttl in ${config}: ${why}`)
    await fail({ env: { IAC_TEST_INSECURE: 'maybe' } }).toThrow('IAC_TEST_INSECURE: "maybe" is not true or false')
  })

  it('may be a list or a mapping in YAML', async () => {
    const config = await file('shapes.yaml', 'tags: [a, b]\nlabels: {zone: eu, gpu: true}\ninsecure: true\n')
    const values = await resolveSettings(settings, { flags: { config }, env: {} })
    expect(values).toMatchObject({ tags: ['a', 'b'], labels: { zone: 'eu', gpu: 'true' }, insecure: true })
  })
})

describe('a configuration file', () => {
  it('with an unknown key, no mapping, broken YAML, or that is not there is named', async () => {
    const fail = (config: string) => expect(resolveSettings(settings, { flags: { config }, env: {} })).rejects
    const unknown = await file('unknown.yaml', 'lisen: 1\n')
    await fail(unknown).toThrow(`lisen in ${unknown}: is not a known setting`)
    const array = await file('array.yaml', '- a\n')
    await fail(array).toThrow(`--config (${array}): is not a mapping of settings to values`)
    await fail(await file('broken.yaml', 'a: [')).toThrow(SettingError)
    await fail(join(dir, 'none.yaml')).toThrow(/ENOENT/)
  })
})

describe('a secret', () => {
  const read = async (env: NodeJS.ProcessEnv, flags: Record<string, unknown> = {}): Promise<SecretSource> => {
    const { key } = await resolveSettings(settings, { flags, env })
    if (key === undefined) throw new Error('no key')
    return key
  }

  it('comes by value, by _FILE, by flag or YAML naming a file, its line end dropped', async () => {
    const path = await file('key', 's3cret\n')
    const config = await file('key.yaml', `app-key-file: ${path}\n`)
    expect((await read({ IAC_TEST_APP_KEY: 'plain' })).current.reveal()).toBe('plain')
    expect((await read({ IAC_TEST_APP_KEY_FILE: path })).current.reveal()).toBe('s3cret')
    expect((await read({}, flagsOf('--app-key-file', path))).current.reveal()).toBe('s3cret')
    expect((await read({}, { config })).current.reveal()).toBe('s3cret')
  })

  it('is read again from its file after a rotation, and kept when the file is gone', async () => {
    const path = await file('rotated', 'old')
    const source = await read({ IAC_TEST_APP_KEY_FILE: path })
    await writeFile(path, 'new')
    expect((await source.reload()).reveal()).toBe('new')
    await rm(path)
    await expect(source.reload()).rejects.toThrow(/ENOENT/)
    expect(source.current.reveal()).toBe('new')
  })

  it('given twice, empty or unreadable is named, never shown', async () => {
    const twice = { IAC_TEST_APP_KEY: 'hidden', IAC_TEST_APP_KEY_FILE: '/x' }
    await expect(read(twice)).rejects.toThrow('IAC_TEST_APP_KEY: and IAC_TEST_APP_KEY_FILE are both given')
    const empty = await file('empty', '\n')
    await expect(read({ IAC_TEST_APP_KEY_FILE: empty })).rejects.toThrow(`IAC_TEST_APP_KEY_FILE: ${empty} is empty`)
    const source = await read({ IAC_TEST_APP_KEY: 'hidden' })
    expect(`${source.current} ${JSON.stringify(source)}`).not.toContain('hidden')
  })
})

describe('unknown variables', () => {
  it('are those with our prefix that nobody reads', () => {
    const env = {
      IAC_TEST_NAME: 'a',
      IAC_TEST_APP_KEY_FILE: 'b',
      IAC_TEST_CONFIG: 'c',
      IAC_CRASH_POINT: 'd',
      IAC_CLOCK_OFFSET_FILE: 'd',
      IAC_TEST_LISEN: 'e',
      HOME: 'f',
    }
    expect(unknownVariables(settings, env)).toEqual(['IAC_TEST_LISEN'])
  })
})

describe('help', () => {
  it('names flag, variable and default of each setting', () => {
    const help = addSettingFlags(
      createProgram({ name: 'x', description: 'x', version: '0' }),
      settings,
    ).helpInformation()
    expect(help).toMatch(/--lease-ttl <duration>\s+ttl \(IAC_TEST_LEASE_TTL, default\s+60s\)/)
    expect(help).toMatch(/--app-key-file <file>\s+key \(IAC_TEST_APP_KEY\[_FILE\]\)/)
  })
})
