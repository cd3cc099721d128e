import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { TrustedProxies } from './trusted-proxies.js'

const request = (remoteAddress: string, forwardedFor?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } }) as unknown as IncomingMessage

it('takes the nearest address that is no trusted proxy', () => {
  const proxies = new TrustedProxies(['127.0.0.1', '10.0.0.0/8', 'fd00::/8'])
  expect(proxies.clientOf(request('203.0.113.7', '198.51.100.9'))).toBe('203.0.113.7')
  expect(proxies.clientOf(request('127.0.0.1'))).toBe('127.0.0.1')
  expect(proxies.clientOf(request('127.0.0.1', '198.51.100.9, 203.0.113.7,10.1.2.3'))).toBe('203.0.113.7')
  expect(proxies.clientOf(request('::ffff:127.0.0.1', '203.0.113.7, fd00::1'))).toBe('203.0.113.7')
  expect(proxies.clientOf(request('127.0.0.1', '10.0.0.9'))).toBe('10.0.0.9')
  expect(proxies.clientOf(request('127.0.0.1', 'nonsense'))).toBe('nonsense')
  expect(proxies.clientOf(request('127.0.0.1', '203.0.113.7, nonsense'))).toBe('nonsense')
})

it('trusts nobody when none is named', () => {
  expect(new TrustedProxies([]).clientOf(request('127.0.0.1', '203.0.113.7'))).toBe('127.0.0.1')
})
