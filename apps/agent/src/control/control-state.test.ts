import { closeCodes, type ErrorCode } from '@iac-agent/protocol'
import { describe, expect, it } from 'vitest'
import { ServerRefused, ServerUnreachable } from '../server-api/errors.js'
import { setbackOfClose, setbackOfError } from './control-state.js'

const refused = (code: ErrorCode, retryAfterMs?: number) =>
  new ServerRefused({ error: { code, message: 'No.', details: {} }, request_id: '1' }, retryAfterMs)

describe('the end of a connection', () => {
  it.each([
    [closeCodes.replaced, 'waiting', 'replaced'],
    [closeCodes.identityInUse, 'waiting', 'identity_in_use'],
    [closeCodes.unauthorized, 'unauthorized', undefined],
    [closeCodes.versionSkew, 'version_skew', undefined],
    [closeCodes.silent, 'waiting', undefined],
    [1001, 'waiting', undefined],
    [1006, 'waiting', undefined],
  ])('by code %i leaves the agent %s, and coming back unless it is %s', (code, phase, end) => {
    const setback = setbackOfClose(code, 'because')
    expect(setback.phase).toBe(phase)
    expect(setback.end?.end).toBe(end)
    expect(setback.problem).toBe(`connection closed: ${code} because`)
  })
})

describe('a connection that did not come about', () => {
  it.each([
    [refused('unauthorized'), 'unauthorized', 0],
    [refused('version_skew'), 'version_skew', 0],
    [refused('unavailable', 4000), 'waiting', 4000],
    [new ServerUnreachable('not_our_answer', 'a page', { httpStatus: 503, retryAfterMs: 2000 }), 'waiting', 2000],
    [new ServerUnreachable('unreachable', 'no route'), 'waiting', 0],
  ])('for %s leaves the agent %s', (err, phase, atLeastMs) => {
    expect(setbackOfError(err)).toEqual({ phase, problem: err.message, atLeastMs })
  })
})
