/** What an answer tells a browser to beware of. The same for all, so they are written once and not worked out per request. */

const always = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0', // the browsers' own filter could be turned against a page
} as const

/** @param isTls then browsers are to come back by https alone */
export function securityHeaders(isTls: boolean): Readonly<Record<string, string>> {
  return isTls ? { ...always, 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : always
}
