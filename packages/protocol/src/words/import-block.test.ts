import { expect, it } from 'vitest'
import { importBlock } from './import-block.js'

it.each([
  ['i-0abc', '"i-0abc"'],
  ['zone/a b', '"zone/a b"'],
  ['say "hi" \\ no', '"say \\"hi\\" \\\\ no"'],
  ['a\nb\r\tc', '"a\\nb\\r\\tc"'],
  [`\${x}`, `"$\${x}"`],
  ['%{if}', '"%%{if}"'],
  [`$\${x}`, `"$$\${x}"`],
  ['100% $5', '"100% $5"'],
  ['é\u0001\u2028\u{e0001}', '"é\\u0001\\u2028\\U000e0001"'],
])('quotes the id %j', (id, quoted) => {
  expect(importBlock('a.b', id)).toBe(`import {\n  to = a.b\n  id = ${quoted}\n}\n`)
})
