/**
 * Tests of the simulator: it must find each deliberate bug, within the number of runs that
 * `mutants.ts` states. A simulator that finds nothing proves nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSimulator } from './build.ts';
import { exitCodeByKind } from './failure.ts';
import { type Mutant, mutants } from './mutants.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** A mutant that takes longer is too hard to find for this test. */
const limitMs = 120_000;

let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sim-mutants-'));
  buildSimulator({ root, out: join(scratch, 'sound') });
});

afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** Runs the simulator with the bug in it, in a process of its own. */
async function run(
  mutant: Mutant,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const out = join(scratch, `mutant-${mutants.indexOf(mutant)}`);
  cpSync(join(scratch, 'sound'), out, { recursive: true, preserveTimestamps: true });
  const main = buildSimulator({ root, out, patches: mutant.patches });
  const seeds = `1..${mutant.seeds}`;
  const args = [main, '--seeds', seeds, '--profile', mutant.profile, '--jobs', '1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, output };
}

describe('the simulator finds a member that', () => {
  test.each(mutants.map((mutant) => [mutant.lesson, mutant] as const))(
    '%s',
    { timeout: limitMs },
    async (_, mutant) => {
      const { exitCode, output } = await run(mutant);

      const kinds = mutant.kind === undefined ? Object.values(exitCodeByKind) : [];
      const expected = mutant.kind === undefined ? kinds : [exitCodeByKind[mutant.kind]];
      expect(expected, output).toContain(exitCode);
    },
  );

  test('nobody has patched twice: every lesson is another one', () => {
    expect(new Set(mutants.map(({ lesson }) => lesson)).size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThanOrEqual(20);
  });
});
