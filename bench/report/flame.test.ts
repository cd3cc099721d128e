import { expect, it } from 'vitest'
import { type CpuProfile, flame } from './flame.js'

const frame = (functionName: string) => ({
  functionName,
  url: functionName.startsWith('(') ? '' : 'file:///root/a.js',
  lineNumber: 0,
})
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 5] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('serve'), children: [4] },
    { id: 4, callFrame: frame('parse') },
    { id: 5, callFrame: frame('serve') },
  ],
  samples: [2, 3, 4, 4, 5],
  timeDeltas: [1_000_000, 100_000, 100_000, 100_000, 100_000],
}

it('shows the share of busy time of each function, its callees included, calls merged', () => {
  const picture = flame('server', profile, '/root')
  expect(picture).toContain('0.4 s of CPU time')
  expect(picture).toContain('<title>serve a.js:1 100.0 %</title>')
  expect(picture).toContain('<title>parse a.js:1 50.0 %</title>')
  expect(picture).not.toContain('idle')
})
