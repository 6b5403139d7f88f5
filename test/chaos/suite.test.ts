import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nemeses } from '../../chaos/nemesis/index.ts';
import { parseOptions } from '../../chaos/options.ts';
import type { RunResult } from '../../chaos/result.ts';
import { pairsOf, totalsOf } from '../../chaos/suite.ts';
import { workloads } from '../../chaos/workloads/index.ts';

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
    const runOf = (name: string, longestGapMs: number): RunResult => ({
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

    expect(totalsOf([runOf('short', 100), runOf('long', 900)])).toEqual({
      ...{ calls: 26, unknown: 2, faults: 6, leaderChanges: 2 },
      ...{ longestGapMs: 900, longestGapRun: 'long', recoveryMs: 5, healingMs: 7 },
    });
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

  test.each([
    [['--workload', 'tetris'], /there are register/],
    [['--nemesis', 'godzilla'], /there are isolate-leader/],
    [['--suite', 'endless'], /quick and full/],
    [['--minutes', 'soon'], /must be a number/],
  ])('refuses %j and says what there is', (args, expected) => {
    expect(() => parseOptions(args, 0)).toThrow(expected);
  });
});
