import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nemeses } from '../../chaos/nemesis/index.ts';
import { parseOptions } from '../../chaos/options.ts';
import { keepResult, keptResult, type RunResult } from '../../chaos/result.ts';
import { pairsOf, totalsOf } from '../../chaos/suite.ts';
import { workloads } from '../../chaos/workloads/index.ts';

const resultOf = (name: string, longestGapMs: number): RunResult => ({
  ...{ name, workload: 'bank', nemesis: 'ring', seed: 1, seconds: 1, replay: '' },
  directory: name,
  verdict: {
    ...{ verdict: 'good', findings: [], longestGapMs, recoveryMs: 5, healingMs: 7 },
    ...{ rivalBeliefMs: 0, unknownDone: 0, unknownNotDone: 0 },
    counts: {
      ...{ ok: 10, fail: 2, unknown: 1, faults: 3, leaderChanges: 1 },
      ...{ overlapping: 1, watchEvents: 1, callsPerSecond: 10 },
    },
  },
});

describe('the suites', () => {
  test('name workloads and nemeses that there are', () => {
    for (const { workload, nemesis } of pairsOf('quick')) {
      expect(Object.keys(workloads)).toContain(workload);
      expect(Array.from(nemeses.keys())).toContain(nemesis);
    }
  });

  test('the quick one has every workload, the full one every pair', () => {
    const quick = new Set(pairsOf('quick').map(({ workload }) => workload));

    expect(quick).toEqual(new Set(Object.keys(workloads)));
    expect(pairsOf('full')).toHaveLength(Object.keys(workloads).length * nemeses.size);
  });

  test('every workload and nemesis is documented', () => {
    const page = readFileSync('docs/chaos.md', 'utf8');

    const missing = [...Object.keys(workloads), ...nemeses.keys()].filter(
      (name) => !page.includes(`\`${name}\``),
    );

    expect(missing).toEqual([]);
  });
});

describe('totalsOf', () => {
  test('adds calls and faults up, and keeps the worst times with their run', () => {
    expect(totalsOf([resultOf('short', 100), resultOf('long', 900)])).toEqual({
      ...{ calls: 26, unknown: 2, faults: 6, leaderChanges: 2 },
      ...{ longestGapMs: 900, longestGapRun: 'long', recoveryMs: 5, healingMs: 7 },
    });
  });
});

describe('the result of a run', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('is there again when a suite goes on', async () => {
    const result = { ...resultOf('short', 100), directory };

    await keepResult(result);

    expect(await keptResult(directory)).toEqual(result);
  });

  test('is not there for a run that broke off', async () => {
    expect(await keptResult(directory)).toBeUndefined();
    expect(await keptResult(join(directory, 'never-made'))).toBeUndefined();
  });

  test('is not guessed from half a file', async () => {
    writeFileSync(join(directory, 'verdict.json'), '{"name": "sho');

    await expect(keptResult(directory)).rejects.toThrow(/remove its folder/);
  });
});

describe('parseOptions', () => {
  test('takes a workload, a nemesis, a seed and a time', () => {
    const args = ['--workload', 'bank', '--nemesis', 'ring', '--seed', '7', '--minutes', '2'];

    expect(parseOptions(args, 0)).toMatchObject({
      workload: 'bank',
      nemesis: 'ring',
      seed: 7,
      seconds: 120,
      size: 3,
      suite: undefined,
    });
  });

  test('takes how members confirm reads, which else the nemesis decides', () => {
    expect(parseOptions(['--read-mode', 'lease'], 0).readMode).toBe('lease');
    expect(parseOptions([], 0).readMode).toBeUndefined();
  });

  test.each([
    [['--read-mode', 'hope'], /read-index and lease/],
    [['--workload', 'tetris'], /there are register/],
    [['--nemesis', 'godzilla'], /there are isolate-leader/],
    [['--suite', 'endless'], /quick and full/],
    [['--minutes', 'soon'], /must be a number/],
    [['--resume'], /--suite, --seed and --out/],
    [['--suite', 'full', '--resume'], /--suite, --seed and --out/],
  ])('refuses %j and says what there is', (args, expected) => {
    expect(() => parseOptions(args, 0)).toThrow(expected);
  });
});
