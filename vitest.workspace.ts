import { defineConfig } from 'vitest/config'

const node = { environment: 'node' as const, pool: 'forks' as const }

/** Four kinds of test, by where they live; every script names this file with `--config`. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...node, name: 'unit', include: ['{packages,apps}/*/src/**/*.test.ts'] } },
      { test: { ...node, name: 'integration', include: ['{packages,apps}/*/tests/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { ...node, name: 'e2e', include: ['e2e/**/*.test.ts'], exclude: ['**/node_modules/**', 'e2e/container/**'], testTimeout: 120_000, hookTimeout: 60_000 } },
      { test: { ...node, name: 'container', include: ['e2e/container/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 900_000 } },
    ],
  },
})
