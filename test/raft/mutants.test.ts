/**
 * Tests of the tests: Raft with one bug at a time, and the tests that must fail then. For each
 * mutant `src/base`, `src/raft` and `test/raft` are copied to a directory of its own, where the
 * text is replaced; the copied tests are collected and run here. A suite that catches nothing
 * proves nothing.
 */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Random runs that a mutant gets; `random.test.ts` by itself does many more. */
const seedCount = 12;
const randomTest = 'stays safe and comes back to life';

/** Tests that need more than what is copied, and this one. */
const leftOut = ['checklist.test.ts', 'mutants.test.ts', 'stories.test.ts'];
const importOfVitest = /^import \{ describe, expect, test \} from 'vitest';$/m;

interface CollectedTest {
  readonly title: string;
  readonly run: () => unknown;
}

type EachTest = (title: string, run: (...row: unknown[]) => unknown) => void;

/**
 * Stands in for vitest's functions while copied tests are loaded: notes each test instead of
 * running it.
 */
function collectorInto(tests: CollectedTest[]): object {
  const each =
    (table: readonly unknown[]): EachTest =>
    (title, run) => {
      for (const row of table) {
        tests.push({ title, run: () => run(...(Array.isArray(row) ? (row as unknown[]) : [row])) });
      }
    };
  const collect = (title: string, run: () => unknown): void => {
    tests.push({ title, run });
  };
  return {
    describe: (_: string, define: () => void) => {
      define();
    },
    test: Object.assign(collect, { each }),
    expect,
  };
}

let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'raft-mutants-'));
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
});

afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** Copies source and tests, with one text replaced; returns the directory of the copied tests. */
function copyWith(name: string, mutant?: Mutant): string {
  const place = join(scratch, name);
  for (const folder of ['src/base', 'src/raft', 'test/raft']) {
    cpSync(join(root, folder), join(place, folder), {
      recursive: true,
      // The settings of the compiler refer to others that are not copied.
      filter: (path) => !path.endsWith('.json') && !path.endsWith('testdata'),
    });
  }
  if (mutant !== undefined) {
    const path = join(place, 'src/raft', mutant.file);
    const parts = readFileSync(path, 'utf8').split(mutant.find);
    expect(parts, `${mutant.file} has this text once: ${mutant.find}`).toHaveLength(2);
    writeFileSync(path, parts.join(mutant.replace));
  }
  return join(place, 'test/raft');
}

/** Loads the copied tests whose title names one of `names`. */
async function load(folder: string, names: readonly string[]): Promise<CollectedTest[]> {
  const isWanted = (text: string): boolean => names.some((name) => text.includes(name));
  const tests: CollectedTest[] = [];
  vi.stubEnv('RAFT_SEEDS', String(seedCount));
  Object.assign(globalThis, { raftTests: collectorInto(tests) });
  for (const file of readdirSync(folder).filter((each) => each.endsWith('.test.ts'))) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    if (!leftOut.includes(file) && isWanted(text)) {
      expect(text).toMatch(importOfVitest);
      writeFileSync(
        path,
        text.replace(importOfVitest, 'const { describe, expect, test } = raftTests;'),
      );
      await import(/* @vite-ignore */ path);
    }
  }
  return tests.filter(({ title }) => isWanted(title));
}

function failuresOf(tests: readonly CollectedTest[]): string[] {
  const failed: string[] = [];
  for (const { title, run } of tests) {
    try {
      run();
    } catch (error) {
      failed.push(`${title}: ${String(error)}`);
    }
  }
  return failed;
}

/** The names of the tests that must fail. */
function catchersOf({ caughtBy, isFoundByChance }: Mutant): readonly string[] {
  return isFoundByChance === true ? [...caughtBy, randomTest] : caughtBy;
}

describe('mutants of Raft', () => {
  const rows = mutants.map((mutant) => [mutant.lesson, mutant] as const);

  test('without a bug, the copied tests pass', async () => {
    const names = new Set(mutants.flatMap(catchersOf));

    const tests = await load(copyWith('sound'), [...names]);

    const titles = tests.map(({ title }) => title);
    expect([...names].filter((name) => !titles.some((title) => title.includes(name)))).toEqual([]);
    expect(failuresOf(tests)).toEqual([]);
  });

  test.each(rows)('a node that %s is caught', async (_, mutant) => {
    const names = catchersOf(mutant);
    const folder = copyWith(`mutant-${mutants.indexOf(mutant)}`, mutant);

    const failed = failuresOf(await load(folder, names));

    expect(names.filter((name) => !failed.some((title) => title.includes(name)))).toEqual([]);
  });
});
