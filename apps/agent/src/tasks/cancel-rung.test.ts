import { expect, it } from 'vitest'
import type { Fact } from '../journal/attempt-record.js'
import { cancelRung } from './cancel-rung.js'

const at = '2026-01-01T00:00:00.000Z'
const run = 'apply-1'
const asked: Fact = { fact: 'cancelRequested', at, reason: 'operator' }
const spawning: Fact = { fact: 'spawning', at, run, outputOffset: 0 }
const signalling: Fact = { fact: 'signalling', at, run, rung: 'interrupt' }
const signalled: Fact = { fact: 'signalled', at, run, rung: 'interrupt' }
const beyond: Fact = { fact: 'limitExceeded', at, run, code: 'run_timeout', message: 'too long' }
const exited: Fact = { fact: 'exited', at, run, code: 1 }

it.each([
  ['nothing while nobody asked', [spawning], undefined],
  ['the same for a run beyond its limit', [spawning, beyond, signalling, signalled], 'interrupt'],
  [
    'nothing for the command after it',
    [spawning, beyond, { ...exited, code: 0 }, { ...spawning, run: 'show-1' }],
    undefined,
  ],
  ['ended before anything was started', [asked], 'ended'],
  ['heard while a signal is only intended', [spawning, asked, signalling], 'heard'],
  ['the newest rung that was climbed', [spawning, asked, signalling, signalled], 'interrupt'],
  ['ended once the command has', [spawning, asked, signalling, signalled, exited], 'ended'],
  [
    'heard again for the next command',
    [{ ...spawning, run: 'init-1' }, { ...exited, run: 'init-1' }, spawning, asked],
    'heard',
  ],
] as const)('is %s', (_, facts, rung) => {
  expect(cancelRung(facts)).toBe(rung)
})
