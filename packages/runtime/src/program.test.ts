import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CommandError, ExitCode } from './exit-codes.js'
import { createProgram, runProgram } from './program.js'
import { SettingError } from './settings.js'

let said = ''
beforeEach(() => {
  said = ''
  const say = (text: string | Uint8Array) => {
    said += text
    return true
  }
  vi.spyOn(process.stderr, 'write').mockImplementation(say)
  vi.spyOn(process.stdout, 'write').mockImplementation(say)
})
afterEach(() => vi.restoreAllMocks())

function run(action: () => Promise<void>, ...argv: string[]): Promise<number> {
  const program = createProgram({ name: 'iac-x', description: 'x', version: '1.2.3' })
  program.command('go').option('--fast').action(action)
  return runProgram(program, ['node', 'iac-x', ...argv])
}

const nothing = async () => {}

describe('a program', () => {
  it('answers 0 for what went well, help and version too', async () => {
    expect(await run(nothing, 'go')).toBe(ExitCode.done)
    expect(await run(nothing, '--help')).toBe(ExitCode.done)
    expect(await run(nothing, '--version')).toBe(ExitCode.done)
    expect(said).toContain('1.2.3')
  })

  it('answers 2 for wrong usage and wrong settings, naming them', async () => {
    expect(await run(nothing, 'go', '--slow')).toBe(ExitCode.usage)
    expect(said).toContain("unknown option '--slow'")
    expect(await run(nothing, 'walk')).toBe(ExitCode.usage)
    expect(await run(() => Promise.reject(new SettingError('--listen', 'is wrong')), 'go')).toBe(ExitCode.usage)
    expect(said).toContain('iac-x: --listen: is wrong\n')
  })

  it('answers the code of a command that failed, with its sentence; 1 for anything else', async () => {
    expect(await run(() => Promise.reject(new CommandError('in use', ExitCode.dataDirInUse)), 'go')).toBe(
      ExitCode.dataDirInUse,
    )
    expect(said).toBe('iac-x: in use\n')
    expect(await run(() => Promise.reject(new Error('boom')), 'go')).toBe(ExitCode.fault)
  })
})
