/**
 * Tests of the simulator: it must find each deliberate bug, within the number of runs that
 * `mutants.ts` states. A simulator that finds nothing proves nothing.
 *
 * The seed that has found a bug before (`mutants-found.json`) is tried first. When it does so no
 * more, since a change of the code has made its run another one, the seeds from 1 on are searched,
 * and the test says which one finds it now. `REWRITE=1` searches all of them, and writes the file.
 */
import {
  spawn,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
} from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSimulator } from './build.ts';
import { exitCodeByKind } from './failure.ts';
import { type Mutant, mutants } from './mutants.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const foundFile = join(here, 'mutants-found.json');
const shouldRewrite = process.env['REWRITE'] === '1';
/** A mutant that takes longer is too hard to find for this test. */
const limitMs = 240_000;

/** By lesson. */
const foundSeeds = JSON.parse(readFileSync(foundFile, 'utf8')) as Record<string, number>;

let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sim-mutants-'));
  buildSimulator({ root, out: join(scratch, 'sound') });
});

afterAll(() => {
  rmSync(scratch, { recursive: true });
  if (shouldRewrite) {
    const known = mutants.map(({ lesson }) => [lesson, foundSeeds[lesson]] as const);
    writeFileSync(foundFile, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`);
  }
});

/** What a search has come to. */
interface Search {
  readonly exitCode: number;
  /** The first that failed; undefined when none has. */
  readonly seed: number | undefined;
  readonly output: string;
}

/** The simulator with the bug in it. */
function build(mutant: Mutant): string {
  const out = join(scratch, `mutant-${mutants.indexOf(mutant)}`);
  cpSync(join(scratch, 'sound'), out, { recursive: true, preserveTimestamps: true });
  return buildSimulator({ root, out, patches: mutant.patches });
}

/** Runs seeds, in a process of its own, until one fails. */
async function search(main: string, { profile }: Mutant, seeds: string): Promise<Search> {
  const args = [main, '--seeds', seeds, '--profile', profile, '--jobs', '1', '--brief'];
  const options: SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioPipe> = {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
  };
  const child = spawn(process.execPath, args, options);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number];
  const seed = /^replay: npm run sim -- --seed (\d+)/m.exec(output)?.[1];
  return { exitCode, output, seed: seed === undefined ? undefined : Number(seed) };
}

/** The search from the first seed on, and a word on what has become of the known one. */
async function searchAll(main: string, mutant: Mutant, known: number | undefined): Promise<Search> {
  const result = await search(main, mutant, `1..${mutant.seeds}`);
  const { lesson } = mutant;
  if (result.seed !== undefined) {
    foundSeeds[lesson] = result.seed;
  }
  if (!shouldRewrite) {
    process.stdout.write(
      `mutants-found.json is stale: seed ${known ?? 'unknown'} does not find a member that ` +
        `${lesson}, ${result.seed ?? 'none'} does. REWRITE=1 npm test -- sim/mutants\n`,
    );
  }
  return result;
}

describe('the simulator finds a member that', () => {
  test.each(mutants.map((mutant) => [mutant.lesson, mutant] as const))(
    '%s',
    { timeout: limitMs },
    async (lesson, mutant) => {
      const main = build(mutant);
      const { kind, seeds } = mutant;
      const expected = kind === undefined ? Object.values(exitCodeByKind) : [exitCodeByKind[kind]];
      const known = foundSeeds[lesson];

      const isKnown = known !== undefined && known <= seeds && !shouldRewrite;
      let result = isKnown ? await search(main, mutant, `${known}..${known}`) : undefined;
      if (result === undefined || !expected.includes(result.exitCode)) {
        result = await searchAll(main, mutant, known);
      }

      expect(expected, result.output).toContain(result.exitCode);
    },
  );

  test('nobody has patched twice: every lesson is another one', () => {
    expect(new Set(mutants.map(({ lesson }) => lesson)).size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThanOrEqual(70);
  });
});
