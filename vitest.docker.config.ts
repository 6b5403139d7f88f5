/** How the cluster in containers is tested: `npm run test:docker`. See `test/docker`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/docker/*.docker.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // Each step needs what the one before has made.
    bail: 1,
    testTimeout: 180_000,
    hookTimeout: 600_000,
    teardownTimeout: 120_000,
    allowOnly: false,
  },
});
