import { describe, expect, it } from 'vitest'
import { StoreError } from '../store/store-error.js'
import { verdictOf } from './error-handler.js'

describe('a fault of the store', () => {
  it.each(['store_busy', 'store_full', 'store_closed'] as const)(
    'that may pass (%s) is 503, without its words',
    (code) => {
      const verdict = verdictOf(new StoreError(code, '/data/iac.db: disk I/O error'))
      expect(verdict).toMatchObject({ code: 'unavailable', httpStatus: 503, message: 'internal error' })
    },
  )
})
