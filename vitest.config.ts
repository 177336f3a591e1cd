import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], more: object = {}) => ({
  test: { name, include, isolate: false, ...more },
})

export default defineConfig({
  test: {
    projects: [
      // Properties take seconds on a machine that has other things to do.
      project('unit', ['src/**/*.test.ts', 'test/*.test.ts', 'test/cases/**/*.test.ts'], {
        testTimeout: 30_000,
      }),
      project('contract', ['test/contract/**/*.test.ts'], { testTimeout: 60_000 }),
      project('e2e', ['test/e2e/**/*.test.ts'], { testTimeout: 60_000, hookTimeout: 60_000 }),
      // By itself, at the end: the suite's own limits are tight on a machine that is busy.
      project('conformance', ['test/conformance/**/*.test.ts'], {
        sequence: { groupOrder: 1 },
        testTimeout: 60_000,
        hookTimeout: 420_000,
      }),
    ],
  },
})
