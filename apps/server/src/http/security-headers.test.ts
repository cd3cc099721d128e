import { expect, it } from 'vitest'
import { securityHeaders } from './security-headers.js'

it('tells a browser neither to guess types nor to frame answers, and to come back by https where that is spoken', () => {
  const plain = securityHeaders(false)
  expect(plain).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' })
  expect(plain).not.toHaveProperty('strict-transport-security')
  expect(securityHeaders(true)['strict-transport-security']).toMatch(/^max-age=\d+/)
})
