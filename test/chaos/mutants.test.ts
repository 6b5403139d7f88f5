/**
 * Tests of the chaos suite: it must find deliberate bugs in real members. A suite that finds
 * nothing proves nothing.
 *
 * Members with a bug are built from patched sources below `node_modules/.cache`, and nowhere else.
 * By default only the first mutant is tried; `CHAOS_MUTANTS=all` tries all, and a part of a lesson
 * that one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../chaos/checkers/history-view.ts';
import { nemeses } from '../../chaos/nemesis/index.ts';
import { workloads } from '../../chaos/workloads/index.ts';
import { buildSimulator } from '../sim/build.ts';
import { type BuiltMutant, mutants } from './mutants.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const builds = join(root, 'node_modules/.cache/holdfast-mutants');
const wanted = process.env['CHAOS_MUTANTS'];
/** Building, and as many runs as a mutant has, on a busy machine. */
const limitMs = 600_000;

let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'chaos-mutants-'));
});

afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** Builds members with a bug, laid out as a package is; returns the command to start them by. */
function build(mutant: BuiltMutant): string {
  const out = join(builds, String(mutants.indexOf(mutant)));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'bin'), { recursive: true });
  buildSimulator({ root, out, entry: 'src/cli/main.ts', patches: mutant.patches });
  symlinkSync('src', join(out, 'dist'));
  symlinkSync(join(root, 'proto'), join(out, 'proto'));
  copyFileSync(join(root, 'package.json'), join(out, 'package.json'));
  copyFileSync(join(root, 'bin/holdfast'), join(out, 'bin/holdfast'));
  return join(out, 'bin/holdfast');
}

/** What a run of the suite against such members finds. */
async function findingsOf(
  { workload, nemesis, seconds, options = [] }: BuiltMutant,
  command: string,
  seed: number,
): Promise<readonly Finding[]> {
  const out = join(scratch, `${seed}`);
  const args = [
    ...['chaos/run.mjs', 'chaos/main.ts', '--workload', workload, '--nemesis', nemesis],
    ...['--seed', String(seed), '--minutes', (seconds / 60).toFixed(3), '--out', out],
    ...['--command', command],
    ...options,
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' });
  await once(child, 'exit');
  const path = join(out, `${workload}-${nemesis}-${seed}`, 'verdict.json');
  // A run may break off: members with a bug may not even come up again.
  return existsSync(path)
    ? (JSON.parse(await readFile(path, 'utf8')) as Kept).verdict.findings
    : [];
}

interface Kept {
  readonly verdict: { readonly findings: readonly Finding[] };
}

function isWanted({ lesson }: BuiltMutant): boolean {
  return (
    wanted === 'all' ||
    (wanted === undefined ? lesson === mutants[0]?.lesson : lesson.includes(wanted))
  );
}

describe('the chaos suite finds a member that', () => {
  test.each(mutants.filter(isWanted).map((mutant) => [mutant.lesson, mutant] as const))(
    '%s',
    { timeout: limitMs },
    async (_, mutant) => {
      const command = build(mutant);
      const found: string[] = [];
      const isCaught = () => found.some((line) => mutant.checks.some((it) => line.startsWith(it)));
      for (let seed = 1; seed <= mutant.runs && !isCaught(); seed++) {
        for (const { kind, check, message } of await findingsOf(mutant, command, seed)) {
          if (kind === 'violation') {
            found.push(`${check}: ${message}`);
          }
        }
      }

      expect(isCaught(), found.join('\n')).toBe(true);
    },
  );

  test('every mutant names a workload and a nemesis, and teaches something of its own', () => {
    const unknown = mutants.filter(
      ({ workload, nemesis }) => !(workload in workloads) || !nemeses.has(nemesis),
    );

    expect(unknown).toEqual([]);
    expect(new Set(mutants.map(({ lesson }) => lesson)).size).toBe(mutants.length);
  });
});
