import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const node = { environment: 'node' as const, pool: 'forks' as const }

/** The build's text loader (scripts/bundle.mjs), for tests that run the source. */
const textFiles = {
  name: 'text-files',
  load(id: string) {
    const path = id.split('?')[0] ?? id
    return /\.(sh|proto)$/.test(path) ? `export default ${JSON.stringify(readFileSync(path, 'utf8'))}` : null
  },
}

const shared = { plugins: [textFiles], define: { __IAC_VERSION__: JSON.stringify('0.1.0') } }

/** Four kinds of test, by where they live; every script names this file with `--config`. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        ...shared,
        test: {
          ...node,
          name: 'unit',
          include: ['{packages,apps}/*/src/**/*.test.ts', 'bench/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        ...shared,
        test: { ...node, name: 'integration', include: ['{packages,apps}/*/tests/**/*.test.ts'], testTimeout: 30_000 },
      },
      {
        ...shared,
        test: {
          ...node,
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'e2e/container/**'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          ...node,
          name: 'container',
          include: ['e2e/container/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
})
