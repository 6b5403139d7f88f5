/**
 * How the tests run: every `*.test.ts`, two files at a time.
 *
 * A process of its own for each file would take longer than most files do. So those of folders whose
 * tests leave their process as they found it share two of them, with what is loaded there. The
 * others are alone: commands and clusters, which have many processes, and what mocks a module.
 * Mutants load other code, and only compute: `.ci/run` has them beside what mostly waits.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

const folders = 'base,chaos,client,kv,raft,replica,rpc,storage,transport,wire';
const sharing = `test/{${folders}}/**/!(mutants).test.ts`;
const mutants = 'test/{kv,raft,sim}/mutants.test.ts';
/** Of a project: they run in one of them, or each would run three times. */
const noBenchmarks = { benchmark: { include: [] } };

/** Of files that take minutes on one processor: begun last, they would be waited for. */
const longest = '/test/sim/';

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.includes(longest);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  resolve: {
    // The examples import the package by its name, and are to test what is here, not what was built.
    alias: {
      'holdfast/client': source('client/index.ts'),
      'holdfast/testing': source('cli/testing/index.ts'),
    },
  },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    allowOnly: false,
    restoreMocks: true,
    unstubEnvs: true,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: [sharing, mutants],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'sharing',
          include: [sharing],
          isolate: false,
          sequence: { groupOrder: 1 },
          ...noBenchmarks,
        },
      },
      {
        extends: true,
        test: { name: 'mutants', include: [mutants], sequence: { groupOrder: 0 }, ...noBenchmarks },
      },
    ],
  },
});
