import { defineConfig } from 'vitest/config';

/** One project a rung: pure (no I/O), contract (real parts against fakes), scenario (processes), sim. */
const rung = (name: string, options: object) => ({
  extends: true as const,
  test: { name, include: [`{apps,libs,scripts}/**/test/**/*.${name}.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      rung('pure', {}),
      rung('contract', { testTimeout: 30_000, hookTimeout: 30_000 }),
      rung('scenario', {
        testTimeout: 90_000,
        hookTimeout: 90_000,
        fileParallelism: false,
        // What whole processes take on a busy machine is no failure.
        expect: { poll: { timeout: 60_000 } },
      }),
      rung('sim', { testTimeout: 120_000 }),
    ],
    coverage: {
      provider: 'v8',
      // Every source, also those that no test loads. What only child processes run shows as 0 here.
      include: ['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts', 'scripts/**/*.ts'],
      exclude: ['**/test/**'],
      reporter: ['text-summary', 'html'],
      reportsDirectory: 'coverage',
    },
  },
});
