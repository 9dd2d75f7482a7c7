import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    // By default one core is left to the watcher of files, which does not run: half of two.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    // A test that waits for the wall clock, or leaks state into its neighbour, is a bug in the test.
    restoreMocks: true,
    unstubEnvs: true,
  },
});
